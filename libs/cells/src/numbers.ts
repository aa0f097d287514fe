import { compareRanges } from '@niobe/kernel';
import { TYPE } from './type-table.ts';
import * as words from './words.ts';

/** Values of fixed width as numbers and in their order, straight from their bytes. Hot: allocates nothing. */

/** Width in u32 words of the integers of 32 bits and more, 0 for all other types. By {@link TYPE}. */
const INTEGER_WORDS = new Uint8Array(32);
for (const type of [TYPE.i32, TYPE.u32, TYPE.date, TYPE.char]) INTEGER_WORDS[type] = 1;
for (const type of [TYPE.i64, TYPE.u64, TYPE.decimal, TYPE.timestamp, TYPE.id]) INTEGER_WORDS[type] = 2;
INTEGER_WORDS[TYPE.i128] = 4;

const UNSIGNED = new Uint8Array(32);
for (const type of [TYPE.u8, TYPE.u16, TYPE.u32, TYPE.u64, TYPE.id, TYPE.char]) UNSIGNED[type] = 1;

const SMALL_INTEGERS = new Uint8Array(32);
for (const type of [TYPE.i8, TYPE.i16, TYPE.u8, TYPE.u16]) SMALL_INTEGERS[type] = 1;

/** Doubles of a position, 0 for all other types. */
const COORDINATES = new Uint8Array(32);
COORDINATES[TYPE.pos2] = 2;
COORDINATES[TYPE.pos3] = 3;
COORDINATES[TYPE.pos4] = 4;
COORDINATES[TYPE.geo] = 2;

/** Words of an integer type of 32 bits and more, else 0. */
export function integerWords(type: number): number {
  return INTEGER_WORDS[type]!;
}

export function isSigned(type: number): boolean {
  return UNSIGNED[type] === 0;
}

/** Doubles of a position, 0 for all other types. */
export function coordinatesOf(type: number): number {
  return COORDINATES[type]!;
}

/**
 * A value as a number: bool as 0 or 1, enum and dict as index, decimal scaled, char as code point, date as days since 1970, wide
 * integers rounded to the nearest double. NaN for what is no number.
 */
export function numberAt(type: number, bytes: Uint8Array, at: number): number {
  switch (type) {
    case TYPE.u64:
    case TYPE.id:
      return words.u64At(bytes, at);
    case TYPE.i64:
    case TYPE.decimal:
    case TYPE.timestamp:
      return words.i64At(bytes, at);
    case TYPE.f64:
      return words.f64At(bytes, at);
    case TYPE.i32:
    case TYPE.date:
      return words.i32At(bytes, at);
    case TYPE.u32:
    case TYPE.char:
      return words.u32At(bytes, at);
    case TYPE.enum:
    case TYPE.dict:
    case TYPE.u16:
      return words.u16At(bytes, at);
    case TYPE.bool:
    case TYPE.u8:
      return bytes[at]!;
    case TYPE.i8:
      return (bytes[at]! << 24) >> 24;
    case TYPE.i16:
      return (words.u16At(bytes, at) << 16) >> 16;
    case TYPE.f32:
      return words.f32At(bytes, at);
    case TYPE.i128:
      return words.wideAt(bytes, at, 4, true);
    default:
      return NaN;
  }
}

/** True for types whose values are integers, also scaled or counted from a date. */
export function isInteger(type: number): boolean {
  return INTEGER_WORDS[type]! > 0 || SMALL_INTEGERS[type] === 1;
}

/** An integer exactly. */
export function bigintAt(type: number, bytes: Uint8Array, at: number): bigint {
  const width = INTEGER_WORDS[type]!;
  return width === 0 ? BigInt(numberAt(type, bytes, at)) : words.bigintAt(bytes, at, width, UNSIGNED[type] === 0);
}

/** Order of two values of one fixed type. NaN is above everything and equal to itself; -0 equals 0; positions go by coordinates. */
export function compareFixed(type: number, a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  const width = INTEGER_WORDS[type]!;
  if (width > 0) return words.compareIntegers(a, aAt, b, bAt, width, UNSIGNED[type] === 0);
  if (type === TYPE.uuid) return compareRanges(a, aAt, aAt + 16, b, bAt, bAt + 16);
  if (COORDINATES[type]! > 0) return comparePositions(COORDINATES[type]!, a, aAt, b, bAt);
  return compareNumbers(numberAt(type, a, aAt), numberAt(type, b, bAt));
}

function compareNumbers(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

function comparePositions(coordinates: number, a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let i = 0; i < coordinates; i++) {
    const order = compareNumbers(words.f64At(a, aAt + i * 8), words.f64At(b, bAt + i * 8));
    if (order !== 0) return order;
  }
  return 0;
}
