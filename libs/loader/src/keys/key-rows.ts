import type { CompiledSchema } from '@niobe/cells';
import { assert, ByteWriter, copyRange, sameRange } from '@niobe/kernel';

/**
 * Distinct keys of one vertex schema, numbered in the order they come: open addressing with linear probing (Knuth, TAOCP 6.4, algorithm
 * L) over columns, the keys end to end in one buffer. The hash is the schema's own, so its low bits are the grid partition; the others
 * pick the slot.
 */

const SMALLEST_ROWS = 256;
/** Low bits of a hash that pick the grid partition, at most. */
const PARTITION_BITS = 12;
const NO_ROW = -1;

export class KeyRows {
  readonly schema: CompiledSchema;
  readonly #partitionMask: number;
  readonly #keys: ByteWriter;
  #rows = 0;
  #capacity = SMALLEST_ROWS;
  /** By slot: row + 1; 0 is free. Twice as many slots as rows fit. */
  #slots = new Int32Array(2 * SMALLEST_ROWS);
  #hashes = new Uint32Array(SMALLEST_ROWS);
  /** By row: where its key ends; it begins where the one before ends. */
  #ends = new Uint32Array(SMALLEST_ROWS);

  /**
   * @param partitions grid partitions, a power of two up to 4,096.
   * @param keyBytesMax bound of all keys together.
   */
  constructor(schema: CompiledSchema, partitions: number, keyBytesMax: number) {
    assert((partitions & (partitions - 1)) === 0, 'grid partitions are a power of two');
    this.schema = schema;
    this.#partitionMask = partitions - 1;
    this.#keys = new ByteWriter(keyBytesMax, 1 << 12);
  }

  /** Rows so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes of all keys so far. */
  get keyBytes(): number {
    return this.#keys.length;
  }

  /** Where all keys lie. Not to be kept over a further {@link add}. */
  get bytes(): Uint8Array {
    return this.#keys.buffer;
  }

  keyStart(row: number): number {
    return row === 0 ? 0 : this.#ends[row - 1]!;
  }

  keyEnd(row: number): number {
    return this.#ends[row]!;
  }

  hash(row: number): number {
    return this.#hashes[row]!;
  }

  /** The grid partition of a row's cell. */
  partition(row: number): number {
    return this.#hashes[row]! & this.#partitionMask;
  }

  /** The row of the key `bytes[at, at + length)`, whose hash is known; -1 where there is none. O(1) expected. */
  find(hash: number, bytes: Uint8Array, at: number, length: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = (hash >>> PARTITION_BITS) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]! - 1;
      if (this.#hashes[row] !== hash) continue;
      const start = this.keyStart(row);
      if (this.#ends[row]! - start === length && sameRange(this.#keys.buffer, start, bytes, at, length)) return row;
    }
    return NO_ROW;
  }

  /** The row of the key `bytes[at, at + length)`, added if it is new: then it is the last. O(1) expected. */
  row(bytes: Uint8Array, at: number, length: number): number {
    const hash = this.schema.hashKey(bytes, at, length);
    const known = this.find(hash, bytes, at, length);
    return known === NO_ROW ? this.add(hash, bytes, at, length) : known;
  }

  /** Adds a key that is not there yet. Throws `TOO_LARGE` where the keys would pass their bound. */
  add(hash: number, bytes: Uint8Array, at: number, length: number): number {
    if (this.#rows === this.#capacity) this.#grow();
    const to = this.#keys.reserve(length);
    copyRange(bytes, at, at + length, this.#keys.buffer, to);
    const row = this.#rows++;
    this.#hashes[row] = hash;
    this.#ends[row] = this.#keys.length;
    this.#place(row);
    return row;
  }

  #place(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[row]! >>> PARTITION_BITS) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#slots = new Int32Array(2 * this.#capacity);
    this.#hashes = widened(this.#hashes, new Uint32Array(this.#capacity));
    this.#ends = widened(this.#ends, new Uint32Array(this.#capacity));
    for (let row = 0; row < this.#rows; row++) this.#place(row);
  }

  /** Forgets all keys and keeps the room. */
  clear(): void {
    if (this.#rows === 0) return;
    this.#slots.fill(0);
    this.#rows = 0;
    this.#keys.reset();
  }
}

/** A column with more room. */
export function widened<T extends Int32Array | Uint32Array | Uint8Array | Float64Array>(column: T, into: T): T {
  into.set(column);
  return into;
}
