import { assert, sameRange } from '@niobe/kernel';
import { keyBytesAt, keyStartAt, schemaIdAt } from './entry.ts';
import type { SlotTable } from './slot-table.ts';

/**
 * Key to slot: extendible hashing (Fagin et al. 1979) over sub-tables with linear probing.
 *
 * 1. A sub-table holds pairs of u32: the mixed hash of the key and slot + 1 (0 = empty). The key itself is compared in the cell.
 * 2. The first bits of the mixed hash choose the sub-table through a directory, the following ones the place in it.
 * 3. A sub-table is full at 3/4. It doubles while it is small; at 16,384 pairs it is split in two by the next bit. So no insert ever
 *    moves more than 12,288 pairs, some 100 us.
 * 4. A removed pair is filled by moving back those behind it (Knuth 6.4, algorithm R), so there are no markers to clean up.
 *
 * The partition was chosen by low bits of the same hash, which are therefore alike for all keys of text or integers here: the
 * multiplication carries every bit into the upper ones, and only those are used.
 */
export class KeyIndex {
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #slots: SlotTable;
  #directory: SubTable[] = [new SubTable(0, SMALLEST_BITS)];
  #depth = 0;
  #count = 0;

  constructor(bytes: Uint8Array, words: Uint32Array, slots: SlotTable) {
    this.#bytes = bytes;
    this.#words = words;
    this.#slots = slots;
  }

  /** Keys held. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of all sub-tables. O(directory). */
  get memoryBytes(): number {
    return [...new Set(this.#directory)].reduce((sum, table) => sum + table.pairs.byteLength, 0);
  }

  /** The slot of a key, or -1. */
  find(hash: number, schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): number {
    const mixed = Math.imul(hash, MIX) >>> 0;
    const table = this.#tableOf(mixed);
    const { pairs, mask } = table;
    for (let place = table.placeOf(mixed); ; place = (place + 1) & mask) {
      const entry = pairs[place * 2 + 1]!;
      if (entry === 0) return -1;
      if (pairs[place * 2] === mixed && this.#hasKey(entry - 1, schemaId, bytes, keyAt, keyBytes)) return entry - 1;
    }
  }

  #hasKey(slot: number, schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): boolean {
    const address = this.#slots.address(slot);
    if (keyBytesAt(this.#words, address) !== keyBytes || schemaIdAt(this.#words, address) !== schemaId) return false;
    return sameRange(this.#bytes, keyStartAt(this.#words, address), bytes, keyAt, keyBytes);
  }

  /** Adds a key that is not there. */
  insert(hash: number, slot: number): void {
    const mixed = Math.imul(hash, MIX) >>> 0;
    let table = this.#tableOf(mixed);
    while (table.isFull) {
      if (table.bits < LARGEST_BITS || table.depth === DEPTH_MAX) this.#replace(table, [table.doubled()]);
      else this.#split(table);
      table = this.#tableOf(mixed);
    }
    table.insert(mixed, slot + 1);
    this.#count += 1;
  }

  /** Removes the pair of a slot, which must be there. */
  remove(hash: number, slot: number): void {
    const mixed = Math.imul(hash, MIX) >>> 0;
    this.#tableOf(mixed).remove(mixed, slot + 1);
    this.#count -= 1;
  }

  #tableOf(mixed: number): SubTable {
    // A shift by 32 is one by 0 in JavaScript, hence the directory of one is asked for first.
    return this.#depth === 0 ? this.#directory[0]! : this.#directory[mixed >>> (32 - this.#depth)]!;
  }

  #split(table: SubTable): void {
    if (table.depth === this.#depth) {
      this.#directory = this.#directory.flatMap((shared) => [shared, shared]);
      this.#depth += 1;
    }
    this.#replace(table, table.halves());
  }

  /** Puts one table, or two halves, in the directory where `table` was. */
  #replace(table: SubTable, by: readonly SubTable[]): void {
    const first = this.#directory.indexOf(table);
    const span = 1 << (this.#depth - table.depth);
    const half = span / by.length;
    for (let i = 0; i < span; i++) this.#directory[first + i] = by[Math.floor(i / half)]!;
  }
}

/** Odd, near 2^32 / golden ratio (Knuth 6.4). */
const MIX = 0x9e3779b1;
const SMALLEST_BITS = 6;
const LARGEST_BITS = 14;
/** Directory of at most 4,096; beyond it sub-tables double again, at 50 million keys of one partition. */
const DEPTH_MAX = 12;
/** Bits of the mixed hash below those of the directory. */
const PLACE_BITS: number = 32 - DEPTH_MAX;

class SubTable {
  /** Bits of the hash that all pairs here share. */
  readonly depth: number;
  /** There is room for 2^bits pairs. */
  readonly bits: number;
  readonly pairs: Uint32Array;
  readonly mask: number;
  readonly #shift: number;
  #count = 0;

  constructor(depth: number, bits: number) {
    this.depth = depth;
    this.bits = bits;
    this.pairs = new Uint32Array(2 << bits);
    this.mask = (1 << bits) - 1;
    this.#shift = Math.max(0, PLACE_BITS - bits);
  }

  get isFull(): boolean {
    return this.#count * 4 >= (this.mask + 1) * 3;
  }

  placeOf(mixed: number): number {
    return (mixed >>> this.#shift) & this.mask;
  }

  insert(mixed: number, entry: number): void {
    let place = this.placeOf(mixed);
    while (this.pairs[place * 2 + 1] !== 0) place = (place + 1) & this.mask;
    this.pairs[place * 2] = mixed;
    this.pairs[place * 2 + 1] = entry;
    this.#count += 1;
  }

  remove(mixed: number, entry: number): void {
    let hole = this.placeOf(mixed);
    while (this.pairs[hole * 2 + 1] !== entry) {
      assert(this.pairs[hole * 2 + 1] !== 0, 'a removed key is in the index');
      hole = (hole + 1) & this.mask;
    }
    for (let place = (hole + 1) & this.mask; this.pairs[place * 2 + 1] !== 0; place = (place + 1) & this.mask) {
      const home = this.placeOf(this.pairs[place * 2]!);
      // A pair may move back to the hole unless its home lies behind the hole.
      if (((place - home) & this.mask) < ((place - hole) & this.mask)) continue;
      this.pairs[hole * 2] = this.pairs[place * 2]!;
      this.pairs[hole * 2 + 1] = this.pairs[place * 2 + 1]!;
      hole = place;
    }
    this.pairs[hole * 2] = 0;
    this.pairs[hole * 2 + 1] = 0;
    this.#count -= 1;
  }

  doubled(): SubTable {
    const table = new SubTable(this.depth, this.bits + 1);
    this.#pourInto(() => table);
    return table;
  }

  /** Two tables by the next bit of the hash. */
  halves(): readonly [SubTable, SubTable] {
    const low = new SubTable(this.depth + 1, this.bits);
    const high = new SubTable(this.depth + 1, this.bits);
    const bit = 31 - this.depth;
    this.#pourInto((mixed) => (((mixed >>> bit) & 1) === 0 ? low : high));
    return [low, high];
  }

  #pourInto(choose: (mixed: number) => SubTable): void {
    for (let at = 0; at < this.pairs.length; at += 2) {
      const entry = this.pairs[at + 1]!;
      if (entry !== 0) choose(this.pairs[at]!).insert(this.pairs[at]!, entry);
    }
  }
}
