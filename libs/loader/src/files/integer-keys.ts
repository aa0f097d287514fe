import { ByteWriter, mix32 } from '@niobe/kernel';
import type { VertexIds } from '../keys/vertex-ids.ts';
import { NO_KEY, type KeyReader } from './key-reader.ts';

const SMALLEST_SLOTS = 1024;
const KEY_BYTES = 8;
const MINUS = 45;
const DIGIT_0 = 48;
const TWO_32 = 0x1_0000_0000;
const NEAR_BITS = 3;
const NEAR_MASK = 7;

/**
 * Integer keys, written in decimal: open addressing from the number to its row, so that a key that was seen before is neither encoded
 * nor hashed as bytes.
 */
export class IntegerKeys implements KeyReader {
  readonly #vertices: VertexIds;
  readonly #key = new ByteWriter(KEY_BYTES);
  #count = 0;
  /** By slot: row + 1; 0 is free. At least twice as many slots as keys. */
  #rows = new Int32Array(SMALLEST_SLOTS);
  #values = new Float64Array(SMALLEST_SLOTS);

  constructor(vertices: VertexIds) {
    this.#vertices = vertices;
  }

  row(bytes: Uint8Array, start: number, end: number): number {
    const value = readInteger(bytes, start, end);
    if (Number.isNaN(value)) return NO_KEY;
    const mask = this.#rows.length - 1;
    let slot = hashOf(value) & mask;
    for (; this.#rows[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#values[slot] === value) return this.#rows[slot]! - 1;
    }
    return this.#add(value, slot);
  }

  clear(): void {
    this.#count = 0;
    this.#rows.fill(0);
  }

  #add(value: number, slot: number): number {
    const { schema } = this.#vertices.keys;
    this.#key.reset();
    schema.encodeKey(value, this.#key);
    const { buffer } = this.#key;
    const row = this.#vertices.add(schema.hashKey(buffer, 0, KEY_BYTES), buffer, 0, KEY_BYTES);
    this.#rows[slot] = row + 1;
    this.#values[slot] = value;
    this.#count += 1;
    if (2 * this.#count > this.#rows.length) this.#grow();
    return row;
  }

  #grow(): void {
    const [rows, values] = [this.#rows, this.#values];
    this.#rows = new Int32Array(2 * rows.length);
    this.#values = new Float64Array(2 * rows.length);
    const mask = this.#rows.length - 1;
    for (let from = 0; from < rows.length; from++) {
      if (rows[from] === 0) continue;
      let slot = hashOf(values[from]!) & mask;
      while (this.#rows[slot] !== 0) slot = (slot + 1) & mask;
      this.#rows[slot] = rows[from]!;
      this.#values[slot] = values[from]!;
    }
  }
}

/** A safe integer in decimal, with a minus or without; NaN for anything else. */
export function readInteger(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  if (first >= end) return NaN;
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
    if (value > Number.MAX_SAFE_INTEGER) return NaN;
  }
  return isNegative ? 0 - value : value;
}

/** Eight numbers in a row have slots in a row, in one line of the processor's cache: neighbours in a file are often near by number. */
function hashOf(value: number): number {
  return (mix32((value >>> NEAR_BITS) ^ Math.floor(value / TWO_32)) << NEAR_BITS) | (value & NEAR_MASK);
}
