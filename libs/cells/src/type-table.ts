import type { FieldType, MergeOperator } from './types.ts';

/** Facts of the types, by number: what code on bytes switches on. */

/** Number of a type, for switches and typed arrays. */
export const TYPE: Readonly<Record<FieldType, number>> = {
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
  i8: 14,
  i16: 15,
  u8: 16,
  u16: 17,
  f32: 18,
  char: 19,
  uuid: 20,
  date: 21,
  pos2: 22,
  pos3: 23,
  pos4: 24,
  geo: 25,
  json: 26,
  dict: 27,
  record: 28,
};

/** All types. */
export const FIELD_TYPES = Object.keys(TYPE) as readonly FieldType[];

/** Number of a merge operator. */
export const MERGE: Readonly<Record<MergeOperator, number>> = {
  keep: 0,
  replace: 1,
  add: 2,
  min: 3,
  max: 4,
  setUnion: 5,
  append: 6,
};

/** Bytes of one value, 0 where its length varies. */
export const TYPE_BYTES: Readonly<Record<FieldType, number>> = {
  bool: 1,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  i128: 16,
  f32: 4,
  f64: 8,
  decimal: 8,
  char: 4,
  text: 0,
  bytes: 0,
  uuid: 16,
  timestamp: 8,
  date: 4,
  enum: 2,
  dict: 2,
  id: 8,
  pos2: 16,
  pos3: 24,
  pos4: 32,
  geo: 16,
  json: 0,
  record: 0,
};

/** Types of which every bit pattern of their width is a value. */
const UNRESTRICTED: readonly FieldType[] = [
  'i8',
  'i16',
  'i32',
  'i64',
  'u8',
  'u16',
  'u32',
  'u64',
  'i128',
  'f32',
  'f64',
  'decimal',
  'uuid',
  'pos2',
  'pos3',
  'pos4',
];

/** True if not all bytes of the type's width are a value of it. */
export function isRestricted(type: FieldType): boolean {
  return !UNRESTRICTED.includes(type);
}
