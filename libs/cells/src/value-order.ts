import { compareRanges, mix32, murmur32, sameRange } from '@niobe/kernel';
import { compareFixed, numberAt } from './numbers.ts';
import { TYPE } from './type-table.ts';
import { f64At, i32At } from './words.ts';

/**
 * How the values of one type are ordered and hashed, on their bytes.
 *
 * Numbers, dates and timestamps are in numeric order, NaN above everything and -0 equal to 0; a bool is below true when false; an enum
 * goes by its index, an id by its number, a char by its code point; text (so by code points), bytes and uuid go by their bytes.
 * Positions are equal or not, by their coordinates; json and records are not compared.
 */

/** Bytes of a range that its key holds: as many as a double keeps exactly. */
const KEY_RANGE_BYTES = 6;

/** How the values of a type compare. */
export type ValueOrder = 'numbers' | 'halves' | 'i128' | 'ranges' | 'same' | 'none';

const ORDERS: Readonly<Record<ValueOrder, readonly number[]>> = {
  numbers: [
    TYPE.bool,
    TYPE.i8,
    TYPE.i16,
    TYPE.i32,
    TYPE.u8,
    TYPE.u16,
    TYPE.u32,
    TYPE.f32,
    TYPE.f64,
    TYPE.char,
    TYPE.date,
    TYPE.enum,
  ],
  halves: [TYPE.i64, TYPE.u64, TYPE.decimal, TYPE.timestamp, TYPE.id],
  i128: [TYPE.i128],
  ranges: [TYPE.text, TYPE.bytes, TYPE.uuid, TYPE.dict],
  same: [TYPE.pos2, TYPE.pos3, TYPE.pos4, TYPE.geo],
  none: [TYPE.json, TYPE.record],
};

/**
 * Which comparison a type has: `numbers` are doubles exactly, `halves` integers of 64 bits, `ranges` bytes in lexicographic order,
 * `same` can only be equal or not.
 */
export function orderOf(type: number): ValueOrder {
  const orders = Object.keys(ORDERS) as ValueOrder[];
  return orders.find((order) => ORDERS[order].includes(type))!;
}

/** True for the types whose values are numbers, exactly or rounded. */
export function isNumeric(type: number): boolean {
  const order = orderOf(type);
  return order === 'numbers' || order === 'halves' || order === 'i128';
}

/** True for floating point: whose NaN is in no order and equal to nothing when a clause compares. */
export function isFloat(type: number): boolean {
  return type === TYPE.f64 || type === TYPE.f32;
}

/** True for the types whose values are bytes in the order of bytes; of a dict the text. */
function isByteOrdered(type: number): boolean {
  return type === TYPE.text || type === TYPE.bytes || type === TYPE.uuid || type === TYPE.dict;
}

/** Negative, zero or positive as the value in `a[aStart, aEnd)` is below, equal to or above the one in `b[bStart, bEnd)`. */
export function compareValues(
  type: number,
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  if (isByteOrdered(type)) return compareRanges(a, aStart, aEnd, b, bStart, bEnd);
  return compareFixed(type, a, aStart, b, bStart);
}

/** True if two positions have the same coordinates; one with a NaN equals none. */
export function samePosition(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number): boolean {
  for (let i = 0; i < aEnd - aStart; i += 8) if (f64At(a, aStart + i) !== f64At(b, bStart + i)) return false;
  return true;
}

/** True if a range begins with the bytes of `prefix`. */
export function hasPrefix(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  return end - start >= prefix.length && sameRange(bytes, start, prefix, 0, prefix.length);
}

/**
 * A double that keeps the order of values: `key(a) < key(b)` only where `a < b`. Equal keys say nothing: integers beyond 2^53 are
 * rounded, a range of bytes counts with its first six, infinity and NaN are one.
 */
export function orderKey(type: number, bytes: Uint8Array, start: number, end: number): number {
  if (isByteOrdered(type)) return rangeKey(bytes, start, end);
  const number = numberAt(type, bytes, start);
  return Number.isNaN(number) ? Infinity : number;
}

function rangeKey(bytes: Uint8Array, start: number, end: number): number {
  let key = 0;
  for (let i = 0; i < KEY_RANGE_BYTES; i++) key = key * 256 + (start + i < end ? bytes[start + i]! : 0);
  return key;
}

/** A u32 that is the same for equal values. O(length). */
export function hashValue(type: number, bytes: Uint8Array, start: number, end: number): number {
  if (isByteOrdered(type)) return murmur32(bytes, start, end);
  if (isFloat(type) && numberAt(type, bytes, start) === 0) return 0; // 0 and -0 are equal and differ in their bytes.
  if (end - start < 4) return mix32(numberAt(type, bytes, start)) >>> 0;
  let hash = 0;
  for (let at = start; at < end; at += 4) hash = mix32(hash ^ i32At(bytes, at));
  return hash >>> 0;
}
