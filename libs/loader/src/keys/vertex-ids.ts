import type { CompiledSchema } from '@niobe/cells';
import { assert } from '@niobe/kernel';
import { KeyRows, widened } from './key-rows.ts';

/** Ids are below 2^52, so an upper word of all ones is none. */
const UNKNOWN = 0xffff_ffff;
const TWO_32 = 0x1_0000_0000;
const SMALLEST_ROWS = 256;

/** Keys of one vertex schema with the ids of their cells, once these are known; an id as it travels, 8 bytes. */
export class VertexIds {
  readonly keys: KeyRows;
  #words = new Uint32Array(2 * SMALLEST_ROWS);
  #bytes = new Uint8Array(this.#words.buffer);

  /** See {@link KeyRows}. */
  constructor(schema: CompiledSchema, partitions: number, keyBytesMax: number) {
    this.keys = new KeyRows(schema, partitions, keyBytesMax);
  }

  /** The row of a key, added if it is new, then with an unknown id. */
  row(bytes: Uint8Array, at: number, length: number): number {
    const { rows } = this.keys;
    const row = this.keys.row(bytes, at, length);
    if (row === rows) this.#open(row);
    return row;
  }

  /** Adds a key that is not there yet, with an unknown id. */
  add(hash: number, bytes: Uint8Array, at: number, length: number): number {
    const row = this.keys.add(hash, bytes, at, length);
    this.#open(row);
    return row;
  }

  #open(row: number): void {
    if (2 * row === this.#words.length) {
      this.#words = widened(this.#words, new Uint32Array(4 * row));
      this.#bytes = new Uint8Array(this.#words.buffer);
    }
    this.#words[2 * row + 1] = UNKNOWN;
  }

  isKnown(row: number): boolean {
    return this.#words[2 * row + 1] !== UNKNOWN;
  }

  /** The id of a row; it must be known. */
  id(row: number): number {
    assert(this.isKnown(row), 'the id of the vertex is known');
    return this.#words[2 * row + 1]! * TWO_32 + this.#words[2 * row]!;
  }

  set(row: number, id: number): void {
    this.#words[2 * row] = id % TWO_32;
    this.#words[2 * row + 1] = Math.floor(id / TWO_32);
  }

  /** Ids by row as lower and upper word. Not to be kept over a further {@link row}. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** The same as bytes, that of a row from 8 * row on. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Forgets everything and keeps the room. */
  clear(): void {
    this.keys.clear();
  }
}
