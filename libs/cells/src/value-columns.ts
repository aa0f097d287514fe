import { copyRange } from '@niobe/kernel';
import { numberAt } from './numbers.ts';
import { u32At } from './words.ts';

/**
 * Columns of values without an object for each: doubles, exact integers of 64 bits, or ranges of bytes. They grow by doubling, as their
 * owner, who knows the bounds, asks for room.
 */

const ROOM_AT_FIRST = 64;

/** Values as doubles; of a null NaN. */
export class NumberColumn {
  readonly kind = 'numbers';
  values: Float64Array<ArrayBuffer> = new Float64Array(ROOM_AT_FIRST);
  readonly #type: number;

  /** @param type one of `TYPE` whose values are numbers */
  constructor(type: number) {
    this.#type = type;
  }

  reserve(count: number): void {
    if (count <= this.values.length) return;
    const values = new Float64Array(roomFor(count, this.values.length));
    values.set(this.values);
    this.values = values;
  }

  set(index: number, source: Uint8Array, start: number): void {
    this.values[index] = numberAt(this.#type, source, start);
  }

  setNull(index: number): void {
    this.values[index] = NaN;
  }
}

/** Integers of 64 bits as two u32, two's complement; of a null 0. */
export class WordColumn {
  readonly kind = 'words';
  low: Uint32Array<ArrayBuffer> = new Uint32Array(ROOM_AT_FIRST);
  high: Uint32Array<ArrayBuffer> = new Uint32Array(ROOM_AT_FIRST);

  reserve(count: number): void {
    if (count <= this.low.length) return;
    const room = roomFor(count, this.low.length);
    const [low, high] = [new Uint32Array(room), new Uint32Array(room)];
    low.set(this.low);
    high.set(this.high);
    [this.low, this.high] = [low, high];
  }

  set(index: number, source: Uint8Array, start: number): void {
    this.low[index] = u32At(source, start);
    this.high[index] = u32At(source, start + 4);
  }

  setNull(index: number): void {
    this.low[index] = 0;
    this.high[index] = 0;
  }
}

/** Ranges of bytes, one after the other; of a null an empty one. */
export class RangeColumn {
  readonly kind = 'ranges';
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(ROOM_AT_FIRST);
  /** Where value `i` begins in {@link bytes}; it ends where value `i + 1` begins. */
  offsets: Uint32Array<ArrayBuffer> = new Uint32Array(ROOM_AT_FIRST);

  /** Bytes of the first `count` values. */
  usedBytes(count: number): number {
    return this.offsets[count]!;
  }

  reserve(count: number): void {
    if (count < this.offsets.length) return;
    const offsets = new Uint32Array(roomFor(count + 1, this.offsets.length));
    offsets.set(this.offsets);
    this.offsets = offsets;
  }

  set(index: number, source: Uint8Array, start: number, end: number): void {
    const at = this.offsets[index]!;
    this.#reserveBytes(at + end - start);
    this.offsets[index + 1] = copyRange(source, start, end, this.bytes, at);
  }

  setNull(index: number): void {
    this.offsets[index + 1] = this.offsets[index]!;
  }

  #reserveBytes(count: number): void {
    if (count <= this.bytes.length) return;
    const bytes = new Uint8Array(roomFor(count, this.bytes.length));
    bytes.set(this.bytes);
    this.bytes = bytes;
  }
}

export type ValueColumn = NumberColumn | WordColumn | RangeColumn;

function roomFor(count: number, present: number): number {
  return Math.max(count, present * 2);
}
