import { isNiobeError, NiobeError } from '@niobe/kernel';
import { isWithin } from './bounds.ts';
import { dateText, daysOf, FIRST_DAY, isDay, LAST_DAY } from './calendar.ts';
import { asNumber, formatDecimal, parseDecimal } from './decimal.ts';
import type { FieldFacts } from './field.ts';
import { jsonProblem, jsonText } from './json-text.ts';
import { coordinatesOf, integerWords, isSigned, numberAt } from './numbers.ts';
import { checkGeo, readPosition, writePosition } from './position.ts';
import { TYPE } from './type-table.ts';
import { CELL_ID_LIMIT, NAME_BYTES_MAX, TIMESTAMP_MS_MAX, type ScalarValue } from './types.ts';
import { isUtf8, textAt, utf8Of } from './utf8.ts';
import { setUuid, uuidAt } from './uuid.ts';
import { malformedAt, violation } from './violation.ts';
import * as words from './words.ts';

/**
 * One value as bytes: how each type is written, read and checked. What is refused names the field. `numbers.ts` has what needs the type
 * alone: values as numbers, and their order.
 */

/** Smallest and largest number that a type takes, by {@link TYPE}; none for what is no number. */
const LEAST = new Float64Array(32).fill(NaN);
const MOST = new Float64Array(32).fill(NaN);

function setRange(type: number, least: number, most: number): void {
  LEAST[type] = least;
  MOST[type] = most;
}

const LAST_CODE_POINT = 0x10_ffff;
setRange(TYPE.bool, 0, 1);
setRange(TYPE.i8, -0x80, 0x7f);
setRange(TYPE.i16, -0x8000, 0x7fff);
setRange(TYPE.i32, -0x8000_0000, 0x7fff_ffff);
setRange(TYPE.u8, 0, 0xff);
setRange(TYPE.u16, 0, 0xffff);
setRange(TYPE.u32, 0, 0xffff_ffff);
setRange(TYPE.u64, 0, Number.MAX_SAFE_INTEGER);
setRange(TYPE.id, 0, CELL_ID_LIMIT - 1);
for (const type of [TYPE.i64, TYPE.i128, TYPE.decimal])
  setRange(type, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
setRange(TYPE.timestamp, -TIMESTAMP_MS_MAX, TIMESTAMP_MS_MAX);
setRange(TYPE.date, FIRST_DAY, LAST_DAY);
setRange(TYPE.char, 0, LAST_CODE_POINT);
setRange(TYPE.enum, 0, 0xffff);
setRange(TYPE.dict, 0, 0xffff);

/**
 * Writes a number to the bytes of a fixed value: an enum or dict as index, a decimal scaled, a char as code point, a date as days since
 * 1970. Throws `SCHEMA_VIOLATION` where it does not fit.
 */
export function writeNumber(field: FieldFacts, bytes: Uint8Array, at: number, value: number): void {
  if (field.type === TYPE.f64) words.setF64(bytes, at, value);
  else if (field.type === TYPE.f32) writeFloat(field, bytes, at, value);
  else writeInteger(field, bytes, at, value);
  if (field.narrowed) checkScalar(field, bytes, at, at + field.bytes);
}

function writeFloat(field: FieldFacts, bytes: Uint8Array, at: number, value: number): void {
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
    throw violation(field.name, 'the number does not fit f32');
  words.setF32(bytes, at, value);
}

function writeInteger(field: FieldFacts, bytes: Uint8Array, at: number, value: number): void {
  const least = LEAST[field.type]!;
  const most = MOST[field.type]!;
  if (!(Number.isInteger(value) && value >= least && value <= most)) throw beyond(field, least, most);
  switch (field.bytes) {
    case 1:
      bytes[at] = value;
      return;
    case 2:
      words.setU16(bytes, at, value);
      return;
    case 4:
      words.setU32(bytes, at, value);
      return;
    default:
      words.setI64(bytes, at, value);
      if (field.type === TYPE.i128) bytes.fill(value < 0 ? 0xff : 0, at + 8, at + 16);
  }
}

/** True if an integer is in the range of the type. */
export function isInRange(type: number, value: number): boolean {
  return value >= LEAST[type]! && value <= MOST[type]!;
}

function beyond(field: FieldFacts, least: number, most: number): Error {
  if (Number.isNaN(least)) return unfit(field);
  return violation(field.name, `an integer of ${least} to ${most} is needed for ${field.declaration.type}`);
}

/** Writes a bigint to an integer field. */
export function writeBigint(field: FieldFacts, bytes: Uint8Array, at: number, value: bigint): void {
  const width = integerWords(field.type);
  const isSafe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
  if (isSafe && field.type !== TYPE.f64 && field.type !== TYPE.f32) {
    writeNumber(field, bytes, at, Number(value));
    return;
  }
  const bits = width * 32;
  const fits = isSigned(field.type) ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  const isWide = width > 1 && field.type !== TYPE.id && field.type !== TYPE.timestamp;
  if (!isWide || fits !== value) throw violation(field.name, `the integer does not fit ${field.declaration.type}`);
  words.setBigint(bytes, at, width, value);
  if (field.narrowed) checkScalar(field, bytes, at, at + field.bytes);
}

/** Writes an application value to the bytes of a fixed value. */
export function writeFixed(field: FieldFacts, bytes: Uint8Array, at: number, value: unknown): void {
  switch (field.type) {
    case TYPE.bool:
      if (typeof value !== 'boolean') throw unfit(field);
      bytes[at] = value ? 1 : 0;
      return;
    case TYPE.enum:
    case TYPE.dict:
      words.setU16(bytes, at, codeOf(field, value));
      return;
    case TYPE.uuid:
      if (typeof value !== 'string' || !setUuid(bytes, at, value)) throw unfit(field);
      return;
    case TYPE.pos2:
    case TYPE.pos3:
    case TYPE.pos4:
    case TYPE.geo:
      writePosition(field, bytes, at, value);
      return;
    default:
      writeNumeric(field, bytes, at, numericOf(field, value));
  }
}

function writeNumeric(field: FieldFacts, bytes: Uint8Array, at: number, value: unknown): void {
  if (typeof value === 'number') writeNumber(field, bytes, at, value);
  else if (typeof value === 'bigint') writeBigint(field, bytes, at, value);
  else throw unfit(field);
}

/** What of an application value {@link writeNumber} and {@link writeBigint} take. */
function numericOf(field: FieldFacts, value: unknown): unknown {
  if (field.type === TYPE.decimal) return scaledOf(field, value);
  if (field.type === TYPE.char) return codePointOf(field, value);
  if (field.type !== TYPE.date) return value;
  const days = typeof value === 'string' ? daysOf(value) : NaN;
  if (Number.isNaN(days)) throw violation(field.name, 'a date is YYYY-MM-DD');
  return days;
}

function scaledOf(field: FieldFacts, value: unknown): number | bigint {
  if (typeof value !== 'string' && typeof value !== 'number') throw unfit(field);
  try {
    return parseDecimal(value, field.scale);
  } catch (error) {
    throw isNiobeError(error) ? violation(field.name, error.message) : error;
  }
}

function codePointOf(field: FieldFacts, value: unknown): number {
  const code = typeof value === 'string' ? value.codePointAt(0) : undefined;
  if (code === undefined || String.fromCodePoint(code) !== value) throw unfit(field);
  return code;
}

function codeOf(field: FieldFacts, name: unknown): number {
  const code = field.codes.get(name as string);
  if (code !== undefined) return code;
  if (field.type === TYPE.enum) throw violation(field.name, `one of ${field.values.slice(0, 16).join(', ')} is needed`);
  const { length } = textBytes(field, name);
  const most = Math.min(NAME_BYTES_MAX, field.maxBytes);
  if (length === 0 || length > most) throw violation(field.name, `a text of a dict has 1 to ${most} bytes`);
  throw new NiobeError('NOT_READY', `${field.name}: the dict has no such text yet; register it as one of its values`, {
    path: field.name,
  });
}

/** The bytes of a value whose length varies, within the field's bound: UTF-8 of text and JSON, or bytes. */
export function variableBytes(field: FieldFacts, value: unknown): Uint8Array {
  const raw = encodedBytes(field, value);
  if (!(raw instanceof Uint8Array)) throw unfit(field);
  if (raw.length > field.maxBytes) throw tooLong(field, raw.length);
  return raw;
}

function encodedBytes(field: FieldFacts, value: unknown): unknown {
  if (field.type === TYPE.text) return textBytes(field, value);
  return field.type === TYPE.json ? utf8Of(jsonText(field.name, value)) : value;
}

function textBytes(field: FieldFacts, value: unknown): Uint8Array {
  if (typeof value !== 'string') throw unfit(field);
  if (!value.isWellFormed()) throw violation(field.name, 'a lone surrogate is no text');
  return utf8Of(value);
}

export function tooLong(field: FieldFacts, length: number): Error {
  return violation(field.name, `${length} bytes exceed the ${field.maxBytes} declared as maxBytes`);
}

function unfit(field: FieldFacts): Error {
  return violation(field.name, `not a value of type ${field.declaration.type}`);
}

/** The application value of `bytes[at, end)`. */
export function readScalar(field: FieldFacts, bytes: Uint8Array, at: number, end: number): ScalarValue {
  switch (field.type) {
    case TYPE.bool:
      return bytes[at] === 1;
    case TYPE.enum:
    case TYPE.dict:
      return field.values[words.u16At(bytes, at)]!;
    case TYPE.text:
      return textAt(bytes, at, end);
    case TYPE.json:
      return JSON.parse(textAt(bytes, at, end)) as ScalarValue;
    case TYPE.bytes:
      return bytes.slice(at, end);
    case TYPE.decimal:
      return formatDecimal(exactInteger(field.type, bytes, at), field.scale);
    case TYPE.char:
      return String.fromCodePoint(words.u32At(bytes, at));
    case TYPE.uuid:
      return uuidAt(bytes, at);
    case TYPE.date:
      return dateText(words.i32At(bytes, at));
    default:
      return coordinatesOf(field.type) > 0 ? readPosition(field.type, bytes, at) : exactNumber(field.type, bytes, at);
  }
}

function exactNumber(type: number, bytes: Uint8Array, at: number): number | bigint {
  return integerWords(type) === 0 ? numberAt(type, bytes, at) : exactInteger(type, bytes, at);
}

/** An integer as a number while it is safe, else as a bigint. */
function exactInteger(type: number, bytes: Uint8Array, at: number): number | bigint {
  const rounded = numberAt(type, bytes, at);
  return Number.isSafeInteger(rounded)
    ? rounded
    : asNumber(words.bigintAt(bytes, at, integerWords(type), isSigned(type)));
}

/** Throws unless `bytes[at, end)` is a value of the field's type. The caller has checked the length of fixed types. */
export function checkScalar(field: FieldFacts, bytes: Uint8Array, at: number, end: number): void {
  // Ids come in lists of thousands, and what is short is inlined.
  if (field.type !== TYPE.id) checkOther(field, bytes, at, end);
  else if (words.u64At(bytes, at) >= CELL_ID_LIMIT) throw violation(field.name, 'a cell id is below 2^52');
}

function checkOther(field: FieldFacts, bytes: Uint8Array, at: number, end: number): void {
  switch (field.type) {
    case TYPE.text:
    case TYPE.bytes:
    case TYPE.json:
      checkVarying(field, bytes, at, end);
      return;
    case TYPE.timestamp:
      if (Math.abs(words.i64At(bytes, at)) > TIMESTAMP_MS_MAX) throw violation(field.name, 'beyond the range of time');
      break;
    case TYPE.enum:
    case TYPE.dict:
      if (words.u16At(bytes, at) >= field.values.length) throw noSuchValue(field);
      return;
    case TYPE.bool:
      if (bytes[at]! > 1) throw malformedAt(field.name, 'a bool that is neither 0 nor 1');
      return;
    case TYPE.date:
      if (!isDay(words.i32At(bytes, at))) throw violation(field.name, 'beyond the range of dates');
      break;
    case TYPE.char:
      if (!isCodePoint(words.u32At(bytes, at))) throw violation(field.name, 'a char is one code point');
      return;
    case TYPE.geo:
      checkGeo(field, bytes, at);
      return;
  }
  if (field.bounds !== null && !isWithin(field.bounds, field.type, bytes, at)) throw outOfBounds(field);
}

/** As {@link checkScalar}, for text, bytes and JSON. */
export function checkVarying(field: FieldFacts, bytes: Uint8Array, at: number, end: number): void {
  if (end - at > field.maxBytes) throw tooLong(field, end - at);
  if (field.type === TYPE.json) checkJson(field, bytes, at, end);
  else if (field.type === TYPE.text && !isUtf8(bytes, at, end))
    throw malformedAt(field.name, 'a text that is not UTF-8');
}

function checkJson(field: FieldFacts, bytes: Uint8Array, at: number, end: number): void {
  const problem = jsonProblem(bytes, at, end);
  if (problem !== null) throw malformedAt(field.name, problem);
}

function isCodePoint(code: number): boolean {
  return code <= LAST_CODE_POINT && (code < 0xd800 || code > 0xdfff);
}

/** A dict grows while others write: a code that is not known here may be known soon. */
function noSuchValue(field: FieldFacts): NiobeError {
  if (field.type === TYPE.enum) return violation(field.name, 'an enum without such a value');
  return new NiobeError('NOT_READY', `${field.name}: a dict without such a value: a newer revision`, {
    path: field.name,
  });
}

function outOfBounds(field: FieldFacts): NiobeError {
  const { min, max } = field.declaration;
  if (max === undefined) return violation(field.name, `below the least value, ${min}`);
  if (min === undefined) return violation(field.name, `above the largest value, ${max}`);
  return violation(field.name, `not within ${min} to ${max}`);
}
