import { isNiobeError } from '@niobe/kernel';
import { describeField } from './field.ts';
import { readHistory } from './field-history.ts';
import { compareFixed } from './numbers.ts';
import { FIELD_TYPES } from './type-table.ts';
import {
  CELL_BYTES_MAX,
  DICT_BYTES_MAX,
  DICT_VALUES_MAX,
  ENUM_VALUES_MAX,
  NAME_BYTES_MAX,
  NESTING_MAX,
  SCALE_MAX,
  STEPS_MAX,
  type FieldDeclaration,
  type FieldType,
  type MergeOperator,
} from './types.ts';
import { isInteger, isObject, oneOf, readFlag, unknownKeys, type Unread } from './unread.ts';
import { utf8Of } from './utf8.ts';

/** The rules of declared fields; problems are told with their path. */

const INTEGERS: readonly FieldType[] = ['i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'i128'];
const SUMMABLE: readonly FieldType[] = [...INTEGERS, 'f32', 'f64', 'decimal'];
const ORDERED: readonly FieldType[] = [...SUMMABLE, 'timestamp', 'date'];
const SIZED: readonly FieldType[] = ['text', 'bytes', 'json', 'dict'];
/** Types whose items are equal or not by their bytes alone. */
const JOINED: readonly FieldType[] = FIELD_TYPES.filter((type) => type !== 'json' && type !== 'record');
const MERGE_OPERATORS: readonly MergeOperator[] = ['keep', 'replace', 'add', 'min', 'max', 'setUnion', 'append'];
const FIELD_KEYS: readonly string[] = [
  'type',
  'optional',
  'array',
  'nullItems',
  'fields',
  'scale',
  'values',
  'maxBytes',
  'maxItems',
  'min',
  'max',
  'default',
  'merge',
  'was',
];
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** Looks at the fields of a schema or record. @param depth 1 for those of the cell itself */
export function readFields(fields: unknown, path: string, depth: number, problems: string[]): void {
  if (!isObject(fields)) {
    problems.push(`${path}: an object of field declarations by name`);
    return;
  }
  if (depth > NESTING_MAX) {
    problems.push(`${path}: records are nested at most ${NESTING_MAX} deep, the cell itself counted`);
    return;
  }
  const before = problems.length;
  const names = Object.keys(fields);
  if (names.length > STEPS_MAX) problems.push(`${path}: at most ${STEPS_MAX}, not ${names.length}`);
  for (const name of names.slice(0, STEPS_MAX)) readField(name, fields[name], path, depth, problems);
  if (problems.length === before) readHistory(fields, path, problems);
}

function readField(name: string, field: unknown, around: string, depth: number, problems: string[]): void {
  const path = `${around}.${name.slice(0, 64)}`;
  if (!FIELD_NAME.test(name)) problems.push(`${path}: a name is a letter, then up to 63 letters, digits and _`);
  if (!isObject(field)) {
    problems.push(`${path}: an object with a type`);
    return;
  }
  const before = problems.length;
  unknownKeys(field, FIELD_KEYS, `${path}.`, problems);
  if (!oneOf(field['type'], FIELD_TYPES, `${path}.type`, problems)) return;
  readFlag(field, 'optional', path, problems);
  readArray(field, path, problems);
  readScale(field, path, problems);
  readValues(field, path, problems);
  readBound(field, 'maxBytes', SIZED.includes(field['type']), path, problems);
  readBound(field, 'maxItems', field['array'] === true, path, problems);
  readMerge(field as unknown as FieldDeclaration, path, problems);
  readRecord(field, path, depth, problems);
  if (problems.length === before) readGiven(field as unknown as FieldDeclaration, path, problems);
}

function readArray(field: Unread, path: string, problems: string[]): void {
  const { array } = field;
  if (array !== undefined && array !== true && !isInteger(array, 1, CELL_BYTES_MAX))
    problems.push(`${path}.array: true, a number of items, or left out`);
  readFlag(field, 'nullItems', path, problems);
  if (field['nullItems'] !== undefined && array === undefined)
    problems.push(`${path}.nullItems: only an array can say it`);
}

function readScale(field: Unread, path: string, problems: string[]): void {
  const { scale } = field;
  if (field['type'] !== 'decimal') {
    if (scale !== undefined) problems.push(`${path}.scale: only a decimal has a scale`);
  } else if (!isInteger(scale, 0, SCALE_MAX)) {
    problems.push(`${path}.scale: a decimal says how many digits it keeps, 0 to ${SCALE_MAX}`);
  }
}

function readValues(field: Unread, path: string, problems: string[]): void {
  const { type, values } = field;
  if (type === 'enum') readNames(values, 1, ENUM_VALUES_MAX, path, problems);
  else if (type === 'dict' && values !== undefined) readNames(values, 0, DICT_VALUES_MAX, path, problems);
  else if (values !== undefined && type !== 'dict') problems.push(`${path}.values: only an enum or dict has values`);
}

function readNames(values: unknown, least: number, most: number, path: string, problems: string[]): void {
  if (!Array.isArray(values) || !isInteger(values.length, least, most) || !values.every(isName)) {
    problems.push(`${path}.values: ${least} to ${most} names of 1 to ${NAME_BYTES_MAX} bytes of well-formed text`);
  } else if (new Set(values).size !== values.length) {
    problems.push(`${path}.values: a name occurs twice`);
  } else if (values.reduce((sum: number, name: string) => sum + utf8Of(name).length, 0) > DICT_BYTES_MAX) {
    problems.push(`${path}.values: more than ${DICT_BYTES_MAX} bytes together`);
  }
}

function isName(name: unknown): boolean {
  if (typeof name !== 'string' || name.length === 0 || !name.isWellFormed()) return false;
  return utf8Of(name).length <= NAME_BYTES_MAX;
}

function readBound(field: Unread, key: string, applies: boolean, path: string, problems: string[]): void {
  const bound = field[key];
  if (bound === undefined) return;
  if (!applies)
    problems.push(
      `${path}.${key}: only ${key === 'maxItems' ? 'an array of any length' : SIZED.join(', ')} can say it`,
    );
  else if (!isInteger(bound, 1, CELL_BYTES_MAX)) problems.push(`${path}.${key}: an integer of 1 to ${CELL_BYTES_MAX}`);
}

function readMerge(field: FieldDeclaration, path: string, problems: string[]): void {
  const { merge, type, array, nullItems } = field;
  if (merge === undefined || !oneOf(merge, MERGE_OPERATORS, `${path}.merge`, problems)) return;
  if (merge === 'keep' || merge === 'replace') return;
  if (merge === 'setUnion' || merge === 'append') {
    if (array !== true || nullItems === true || !JOINED.includes(type))
      problems.push(`${path}.merge: ${merge} needs an array of any length without nulls, and not of json or records`);
    return;
  }
  const fitting = merge === 'add' ? SUMMABLE : ORDERED;
  if (array !== undefined || !fitting.includes(type))
    problems.push(`${path}.merge: ${merge} needs a single value of ${fitting.join(', ')}`);
}

function readRecord(field: Unread, path: string, depth: number, problems: string[]): void {
  if (field['type'] === 'record') readFields(field['fields'], `${path}.fields`, depth + 1, problems);
  else if (field['fields'] !== undefined) problems.push(`${path}.fields: only a record has fields`);
}

/** Values in the declaration must be values of the field. */
function readGiven(field: FieldDeclaration, path: string, problems: string[]): void {
  const before = problems.length;
  const { min, max, default: given, ...plain } = field;
  const hasBounds = min !== undefined || max !== undefined;
  if (hasBounds && !ORDERED.includes(field.type)) {
    problems.push(`${path}.${min === undefined ? 'max' : 'min'}: only ${ORDERED.join(', ')} can say it`);
    return;
  }
  if (given !== undefined && field.type === 'record') {
    problems.push(`${path}.default: a record has the defaults of its fields`);
    return;
  }
  if (min !== undefined) tryField(`${path}.min`, { ...plain, min }, problems);
  if (max !== undefined) tryField(`${path}.max`, { ...plain, max }, problems);
  if (problems.length > before) return;
  if (given !== undefined) tryField(`${path}.default`, field, problems);
  if (min !== undefined && max !== undefined) checkOrder({ ...plain, min, max }, path, problems);
}

/** What is refused is refused under the name of the field, which here is the path. */
function tryField(path: string, field: FieldDeclaration, problems: string[]): void {
  try {
    describeField(0, path, field, null, true);
  } catch (error) {
    if (!isNiobeError(error)) throw error;
    problems.push(error.message);
  }
}

function checkOrder(field: FieldDeclaration, path: string, problems: string[]): void {
  const { type, bounds } = describeField(0, path, field, null, true);
  const { least, most } = bounds!;
  if (compareFixed(type, least!, 0, most!, 0) > 0) problems.push(`${path}.min: is above max`);
}
