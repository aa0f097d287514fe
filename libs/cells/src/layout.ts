import type { FieldDeclaration, MergeOperator, ScalarType, SchemaDeclaration } from './types.ts';
import { ARRAY_ITEMS_DEFAULT, TEXT_BYTES_DEFAULT } from './types.ts';
import { u16At, u32At } from './words.ts';

/**
 * Where each field of a body lies.
 *
 *     u8 number of fields n | null bitmap | fixed area | end offsets | variable area
 *
 * 1. `n` is the number of fields the body was written with. A revision only appends optional fields, so `n` alone says how the body
 *    is laid out, older bodies stay readable as they are, and a field at or above `n` reads as null.
 * 2. The bitmap has one bit per optional field, 1 = null. Bytes of a null are zero, so that equal records are equal bytes.
 * 3. The fixed area holds scalars of known width, without gaps, in order of declaration.
 * 4. Text, bytes and arrays are variable: each has an end offset, counted from the start of the body; it begins where the one before
 *    ends. Offsets are u16 in a body below 64 KiB, else u32.
 * 5. An array of fixed scalars is their bytes one after another; one of text or bytes has a u32 length before each item.
 */

/** Number of a scalar type, for switches and typed arrays. */
export const TYPE: Readonly<Record<ScalarType, number>> = {
  bool: 1,
  i32: 2,
  i64: 3,
  u32: 4,
  u64: 5,
  i128: 6,
  f64: 7,
  decimal: 8,
  text: 9,
  bytes: 10,
  timestamp: 11,
  enum: 12,
  id: 13,
};

/** Number of a merge operator. */
export const MERGE: Readonly<Record<MergeOperator, number>> = { keep: 0, replace: 1, add: 2, min: 3, max: 4 };

/** Bytes of one scalar, 0 where its length varies. */
const TYPE_BYTES: Readonly<Record<ScalarType, number>> = {
  bool: 1,
  i32: 4,
  i64: 8,
  u32: 4,
  u64: 8,
  i128: 16,
  f64: 8,
  decimal: 8,
  text: 0,
  bytes: 0,
  timestamp: 8,
  enum: 2,
  id: 8,
};

/** Bodies from this length on have u32 end offsets. */
const WIDE_BODY_BYTES = 0x1_0000;

/** A declared field with its place. */
export interface Field {
  readonly index: number;
  readonly name: string;
  readonly declaration: FieldDeclaration;
  /** One of {@link TYPE}. */
  readonly type: number;
  readonly array: boolean;
  /** Bytes of one value, 0 for text and bytes. */
  readonly bytes: number;
  /** True for whatever lies in the variable area. */
  readonly variable: boolean;
  /** Bit in the null bitmap, -1 for a required field. */
  readonly nullBit: number;
  /** Offset in the fixed area; of no meaning for variable fields. */
  readonly fixedOffset: number;
  /** Rank among the variable fields, -1 for fixed ones. */
  readonly rank: number;
  readonly maxBytes: number;
  readonly maxItems: number;
  readonly scale: number;
  readonly values: readonly string[];
  /** One of {@link MERGE}. */
  readonly merge: number;
}

/** The places of all fields, for bodies with any number of them. */
export interface Layout {
  readonly fields: readonly Field[];
  readonly fieldCount: number;
  /** Fewest fields of a body: up to the last required one. */
  readonly leastFields: number;
  /** By number of fields: bytes of the bitmap. */
  readonly bitmapBytes: Uint8Array;
  /** By number of fields: bytes of the fixed area. */
  readonly fixedBytes: Uint16Array;
  /** By number of fields: how many are variable. */
  readonly variableCount: Uint8Array;
  /** By number of fields: how many are optional. */
  readonly optionalCount: Uint8Array;
  readonly variables: readonly Field[];
  /** Fixed fields of which not all bytes are a value: optional ones, and types with a range of their own. */
  readonly restricted: readonly Field[];
}

/** Lays out the fields of a valid declaration. */
export function layOut(declaration: SchemaDeclaration): Layout {
  const names = Object.keys(declaration.fields);
  const fields: Field[] = [];
  const bitmapBytes = new Uint8Array(names.length + 1);
  const fixedBytes = new Uint16Array(names.length + 1);
  const variableCount = new Uint8Array(names.length + 1);
  const optionalCount = new Uint8Array(names.length + 1);
  let leastFields = 0;
  for (const [index, name] of names.entries()) {
    const places = { optionals: optionalCount[index]!, fixedOffset: fixedBytes[index]!, rank: variableCount[index]! };
    const field = placeField(index, name, declaration.fields[name]!, places);
    fields.push(field);
    if (field.nullBit < 0) leastFields = index + 1;
    optionalCount[index + 1] = places.optionals + (field.nullBit < 0 ? 0 : 1);
    bitmapBytes[index + 1] = (optionalCount[index + 1]! + 7) >>> 3;
    fixedBytes[index + 1] = places.fixedOffset + (field.variable ? 0 : field.bytes);
    variableCount[index + 1] = places.rank + (field.variable ? 1 : 0);
  }
  const variables = fields.filter((field) => field.variable);
  const fieldCount = fields.length;
  const restricted = fields.filter((field) => !field.variable && isRestricted(field));
  return {
    fields,
    fieldCount,
    leastFields,
    bitmapBytes,
    fixedBytes,
    variableCount,
    optionalCount,
    variables,
    restricted,
  };
}

function isRestricted(field: Field): boolean {
  return field.nullBit >= 0 || [TYPE.bool, TYPE.enum, TYPE.timestamp, TYPE.id].includes(field.type);
}

interface Places {
  readonly optionals: number;
  readonly fixedOffset: number;
  readonly rank: number;
}

function placeField(index: number, name: string, declaration: FieldDeclaration, places: Places): Field {
  const bytes = TYPE_BYTES[declaration.type];
  const array = declaration.array === true;
  const variable = array || bytes === 0;
  return {
    index,
    name,
    declaration,
    type: TYPE[declaration.type],
    array,
    bytes,
    variable,
    nullBit: declaration.optional === true ? places.optionals : -1,
    fixedOffset: places.fixedOffset,
    rank: variable ? places.rank : -1,
    maxBytes: declaration.maxBytes ?? TEXT_BYTES_DEFAULT,
    maxItems: declaration.maxItems ?? ARRAY_ITEMS_DEFAULT,
    scale: declaration.scale ?? 0,
    values: declaration.values ?? [],
    merge: MERGE[declaration.merge ?? 'replace'],
  };
}

/** Bytes of an end offset in a body of `length` bytes. */
export function endWidth(length: number): number {
  return length < WIDE_BODY_BYTES ? 2 : 4;
}

/** Bytes before the end offsets of a body with `count` fields. */
export function fixedEnd(layout: Layout, count: number): number {
  return 1 + layout.bitmapBytes[count]! + layout.fixedBytes[count]!;
}

/** Bytes of a body with `count` fields before its variable area, with end offsets of `width` bytes. */
export function headBytes(layout: Layout, count: number, width: number): number {
  return fixedEnd(layout, count) + layout.variableCount[count]! * width;
}

/** Bytes of a whole body whose variable area has `variableBytes`. */
export function bodyBytes(layout: Layout, count: number, variableBytes: number): number {
  const narrow = headBytes(layout, count, 2) + variableBytes;
  return narrow < WIDE_BODY_BYTES ? narrow : headBytes(layout, count, 4) + variableBytes;
}

/** True where `field` of the body at `at` is null, also because the body is older than the field. */
export function isNullAt(field: Field, bytes: Uint8Array, at: number): boolean {
  if (field.index >= bytes[at]!) return true;
  const bit = field.nullBit;
  return bit >= 0 && ((bytes[at + 1 + (bit >>> 3)]! >>> (bit & 7)) & 1) === 1;
}

/** Marks `field` as null or as present. */
export function setNullAt(field: Field, bytes: Uint8Array, at: number, isNull: boolean): void {
  const bit = field.nullBit;
  if (bit < 0) return;
  const byteAt = at + 1 + (bit >>> 3);
  const mask = 1 << (bit & 7);
  bytes[byteAt] = isNull ? bytes[byteAt]! | mask : bytes[byteAt]! & ~mask;
}

/** Where the bytes of a fixed field lie. The body must have the field. */
export function fixedAt(layout: Layout, field: Field, bytes: Uint8Array, at: number): number {
  return at + 1 + layout.bitmapBytes[bytes[at]!]! + field.fixedOffset;
}

/** Where a variable field begins. The body must have the field. */
export function variableStart(layout: Layout, field: Field, bytes: Uint8Array, at: number, length: number): number {
  const count = bytes[at]!;
  if (field.rank === 0) return at + headBytes(layout, count, endWidth(length));
  return at + endOffset(layout, field.rank - 1, count, bytes, at, length);
}

/** Where a variable field ends. The body must have the field. */
export function variableEnd(layout: Layout, field: Field, bytes: Uint8Array, at: number, length: number): number {
  return at + endOffset(layout, field.rank, bytes[at]!, bytes, at, length);
}

function endOffset(layout: Layout, rank: number, count: number, bytes: Uint8Array, at: number, length: number): number {
  const table = at + fixedEnd(layout, count);
  return endWidth(length) === 2 ? u16At(bytes, table + rank * 2) : u32At(bytes, table + rank * 4);
}
