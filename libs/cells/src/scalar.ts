import { isNiobeError } from '@niobe/kernel';
import { asNumber, formatDecimal, parseDecimal } from './decimal.ts';
import { TYPE, type Field } from './layout.ts';
import { CELL_ID_LIMIT, TIMESTAMP_MS_MAX, type ScalarValue } from './types.ts';
import { isUtf8, textAt, utf8Of } from './utf8.ts';
import { malformed, violation } from './violation.ts';
import * as words from './words.ts';

/**
 * One scalar value as bytes: how each type is written, read, checked and ordered. Everything that knows the types is here.
 */

/** Width in u32 words of the types that are integers, 0 for the others. By {@link TYPE}. */
const INTEGER_WORDS = Uint8Array.from([0, 0, 1, 2, 1, 2, 4, 0, 2, 0, 0, 2, 0, 2]);
const UNSIGNED = Uint8Array.from([0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1]);

/** Words of an integer type, 0 for bool, f64, enum, text and bytes. */
export function integerWords(type: number): number {
  return INTEGER_WORDS[type]!;
}

export function isSigned(type: number): boolean {
  return UNSIGNED[type] === 0;
}

/** Writes a number to the bytes of a fixed scalar; throws `SCHEMA_VIOLATION` where it does not fit. A decimal is given scaled. */
export function writeNumber(field: Field, bytes: Uint8Array, at: number, value: number): void {
  switch (field.type) {
    case TYPE.f64:
      words.setF64(bytes, at, value);
      return;
    case TYPE.bool:
      bytes[at] = within(field, value, 0, 1);
      return;
    case TYPE.enum:
      words.setU16(bytes, at, within(field, value, 0, field.values.length - 1));
      return;
    case TYPE.i32:
      words.setU32(bytes, at, within(field, value, -0x8000_0000, 0x7fff_ffff));
      return;
    case TYPE.u32:
      words.setU32(bytes, at, within(field, value, 0, 0xffff_ffff));
      return;
    default:
      words.setI64(bytes, at, within(field, value, least(field.type), most(field.type)));
      if (field.type === TYPE.i128) bytes.fill(value < 0 ? 0xff : 0, at + 8, at + 16);
  }
}

function least(type: number): number {
  if (type === TYPE.timestamp) return -TIMESTAMP_MS_MAX;
  return isSigned(type) ? Number.MIN_SAFE_INTEGER : 0;
}

function most(type: number): number {
  if (type === TYPE.timestamp) return TIMESTAMP_MS_MAX;
  return type === TYPE.id ? CELL_ID_LIMIT - 1 : Number.MAX_SAFE_INTEGER;
}

function within(field: Field, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw violation(field.name, `an integer of ${low} to ${high} is needed for ${field.declaration.type}`);
}

/** Writes a bigint to an integer field of 64 or 128 bits. */
export function writeBigint(field: Field, bytes: Uint8Array, at: number, value: bigint): void {
  const width = integerWords(field.type);
  const bits = BigInt(width * 32);
  const fits = isSigned(field.type) ? BigInt.asIntN(Number(bits), value) : BigInt.asUintN(Number(bits), value);
  if (width === 0 || fits !== value) throw violation(field.name, `the integer does not fit ${field.declaration.type}`);
  if (field.type === TYPE.id || field.type === TYPE.timestamp) writeNumber(field, bytes, at, Number(value));
  else words.setBigint(bytes, at, width, value);
}

/** Writes an application value to the bytes of a fixed scalar. */
export function writeFixed(field: Field, bytes: Uint8Array, at: number, value: unknown): void {
  if (field.type === TYPE.decimal) value = scaledOf(field, value);
  else if (field.type === TYPE.bool && typeof value === 'boolean') value = value ? 1 : 0;
  else if (field.type === TYPE.enum && typeof value === 'string') value = enumIndex(field, value);
  else if (field.type === TYPE.bool || field.type === TYPE.enum) throw unfit(field);
  if (typeof value === 'number') writeNumber(field, bytes, at, value);
  else if (typeof value === 'bigint') writeBigint(field, bytes, at, value);
  else throw unfit(field);
}

function scaledOf(field: Field, value: unknown): number | bigint {
  if (typeof value !== 'string' && typeof value !== 'number') throw unfit(field);
  try {
    return parseDecimal(value, field.scale);
  } catch (error) {
    throw isNiobeError(error) ? violation(field.name, error.message) : error;
  }
}

function enumIndex(field: Field, name: string): number {
  const index = field.values.indexOf(name);
  if (index < 0) throw violation(field.name, `one of ${field.values.slice(0, 16).join(', ')} is needed`);
  return index;
}

/** UTF-8 of a text value, or the bytes of a bytes value, within the field's bound. */
export function variableBytes(field: Field, value: unknown): Uint8Array {
  const raw = field.type === TYPE.text ? textBytes(field, value) : value;
  if (!(raw instanceof Uint8Array)) throw unfit(field);
  if (raw.length > field.maxBytes) throw tooLong(field, raw.length);
  return raw;
}

function textBytes(field: Field, value: unknown): Uint8Array {
  if (typeof value !== 'string') throw unfit(field);
  if (!value.isWellFormed()) throw violation(field.name, 'a lone surrogate is no text');
  return utf8Of(value);
}

export function tooLong(field: Field, length: number): Error {
  return violation(field.name, `${length} bytes exceed the ${field.maxBytes} declared as maxBytes`);
}

function unfit(field: Field): Error {
  return violation(field.name, `not a value of type ${field.declaration.type}`);
}

/** The application value of `bytes[at, end)`. */
export function readScalar(field: Field, bytes: Uint8Array, at: number, end: number): ScalarValue {
  switch (field.type) {
    case TYPE.bool:
      return bytes[at] === 1;
    case TYPE.enum:
      return field.values[words.u16At(bytes, at)]!;
    case TYPE.text:
      return textAt(bytes, at, end);
    case TYPE.bytes:
      return bytes.slice(at, end);
    case TYPE.decimal:
      return formatDecimal(exactInteger(field.type, bytes, at), field.scale);
    case TYPE.f64:
      return words.f64At(bytes, at);
    default:
      return exactInteger(field.type, bytes, at);
  }
}

/** An integer as a number while it is safe, else as a bigint. */
function exactInteger(type: number, bytes: Uint8Array, at: number): number | bigint {
  const rounded = numberAt(type, bytes, at);
  return Number.isSafeInteger(rounded)
    ? rounded
    : asNumber(words.bigintAt(bytes, at, integerWords(type), isSigned(type)));
}

/** A fixed scalar as a number: bool as 0 or 1, enum as its index, decimal scaled, wide integers rounded to the nearest double. */
export function numberAt(type: number, bytes: Uint8Array, at: number): number {
  switch (type) {
    case TYPE.bool:
      return bytes[at]!;
    case TYPE.enum:
      return words.u16At(bytes, at);
    case TYPE.f64:
      return words.f64At(bytes, at);
    case TYPE.i32:
      return words.i32At(bytes, at);
    case TYPE.u32:
      return words.u32At(bytes, at);
    case TYPE.u64:
    case TYPE.id:
      return words.u64At(bytes, at);
    case TYPE.i128:
      return words.wideAt(bytes, at, 4, true);
    default:
      return words.i64At(bytes, at);
  }
}

/** Order of two fixed scalars of one type. NaN is above everything and equal to itself; -0 equals 0. */
export function compareFixed(type: number, a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  const width = INTEGER_WORDS[type]!;
  if (width > 0) return words.compareIntegers(a, aAt, b, bAt, width, UNSIGNED[type] === 0);
  const left = numberAt(type, a, aAt);
  const right = numberAt(type, b, bAt);
  if (left < right) return -1;
  if (left > right) return 1;
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

/** Throws unless `bytes[at, end)` is a value of the field's type. The caller has checked the length of fixed types. */
export function checkScalar(field: Field, bytes: Uint8Array, at: number, end: number): void {
  switch (field.type) {
    case TYPE.bool:
      if (bytes[at]! > 1) throw malformed(`${field.name}: a bool that is neither 0 nor 1`);
      return;
    case TYPE.enum:
      if (words.u16At(bytes, at) >= field.values.length) throw violation(field.name, 'an enum without such a value');
      return;
    case TYPE.timestamp:
      if (Math.abs(words.i64At(bytes, at)) > TIMESTAMP_MS_MAX) throw violation(field.name, 'beyond the range of time');
      return;
    case TYPE.id:
      if (words.u64At(bytes, at) >= CELL_ID_LIMIT) throw violation(field.name, 'a cell id is below 2^52');
      return;
    case TYPE.text:
    case TYPE.bytes:
      if (end - at > field.maxBytes) throw tooLong(field, end - at);
      if (field.type === TYPE.text && !isUtf8(bytes, at, end))
        throw malformed(`${field.name}: a text that is not UTF-8`);
  }
}
