import { NiobeError } from '@niobe/kernel';
import type { FieldDeclaration, KeyType, MergeOperator, ScalarType, SchemaDeclaration } from './types.ts';
import { CELL_BYTES_MAX, ENUM_VALUES_MAX, FIELDS_MAX, SCALE_MAX } from './types.ts';
import { utf8Of } from './utf8.ts';

/**
 * Reads a schema declaration from anything that was parsed from JSON. All problems are told at once, each with its path, because the
 * declaration was written by a person who wants to mend the file once.
 */

const SCALAR_TYPES: readonly ScalarType[] = [
  'bool',
  'i32',
  'i64',
  'u32',
  'u64',
  'i128',
  'f64',
  'decimal',
  'text',
  'bytes',
  'timestamp',
  'enum',
  'id',
];
const KEY_TYPES: readonly KeyType[] = ['text', 'integer', 'none', 'id', 'pair'];
const MERGE_OPERATORS: readonly MergeOperator[] = ['keep', 'replace', 'add', 'min', 'max'];
const SUMMABLE: readonly ScalarType[] = ['i32', 'i64', 'u32', 'u64', 'i128', 'f64', 'decimal'];
const ORDERED: readonly ScalarType[] = [...SUMMABLE, 'timestamp'];
const FIELD_KEYS: readonly string[] = ['type', 'optional', 'array', 'scale', 'values', 'maxBytes', 'maxItems', 'merge'];
const SCHEMA_KEYS: readonly string[] = ['name', 'key', 'fields'];
const SCHEMA_NAME = /^[A-Za-z][A-Za-z0-9_.@/-]{0,199}$/;
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const ENUM_NAME_BYTES_MAX = 255;

type Unread = Readonly<Record<string, unknown>>;

/** `value` as a declaration; throws `BAD_DECLARATION` whose message and `problems` list everything that is wrong. */
export function parseDeclaration(value: unknown): SchemaDeclaration {
  const problems: string[] = [];
  if (isObject(value)) readSchema(value, problems);
  else problems.push('a schema is an object with name, key and fields');
  if (problems.length === 0) return value as unknown as SchemaDeclaration;
  const name = isObject(value) && typeof value['name'] === 'string' ? value['name'] : 'without a name';
  throw new NiobeError('BAD_DECLARATION', `schema ${name.slice(0, 200)}: ${problems.join('; ')}`, { problems });
}

function readSchema(schema: Unread, problems: string[]): void {
  unknownKeys(schema, SCHEMA_KEYS, '', problems);
  if (typeof schema['name'] !== 'string' || !SCHEMA_NAME.test(schema['name'])) {
    problems.push('name: a letter, then up to 199 letters, digits and any of _ . @ / -');
  }
  oneOf(schema['key'], KEY_TYPES, 'key', problems);
  const fields = schema['fields'];
  if (!isObject(fields)) {
    problems.push('fields: an object of field declarations by name');
    return;
  }
  const names = Object.keys(fields);
  if (names.length > FIELDS_MAX) problems.push(`fields: at most ${FIELDS_MAX}, not ${names.length}`);
  for (const name of names.slice(0, FIELDS_MAX)) readField(name, fields[name], problems);
}

function readField(name: string, field: unknown, problems: string[]): void {
  const path = `fields.${name.slice(0, 64)}`;
  if (!FIELD_NAME.test(name)) problems.push(`${path}: a name is a letter, then up to 63 letters, digits and _`);
  if (!isObject(field)) {
    problems.push(`${path}: an object with a type`);
    return;
  }
  unknownKeys(field, FIELD_KEYS, `${path}.`, problems);
  if (!oneOf(field['type'], SCALAR_TYPES, `${path}.type`, problems)) return;
  readFlag(field, 'optional', path, problems);
  readFlag(field, 'array', path, problems);
  readScale(field, path, problems);
  readValues(field, path, problems);
  readBound(field, 'maxBytes', CELL_BYTES_MAX, field['type'] === 'text' || field['type'] === 'bytes', path, problems);
  readBound(field, 'maxItems', CELL_BYTES_MAX, field['array'] === true, path, problems);
  readMerge(field as unknown as FieldDeclaration, path, problems);
}

function readFlag(field: Unread, key: string, path: string, problems: string[]): void {
  if (field[key] !== undefined && field[key] !== true) problems.push(`${path}.${key}: true, or left out`);
}

function readScale(field: Unread, path: string, problems: string[]): void {
  const scale = field['scale'];
  if (field['type'] !== 'decimal') {
    if (scale !== undefined) problems.push(`${path}.scale: only a decimal has a scale`);
  } else if (!isInteger(scale, 0, SCALE_MAX)) {
    problems.push(`${path}.scale: a decimal says how many digits it keeps, 0 to ${SCALE_MAX}`);
  }
}

function readValues(field: Unread, path: string, problems: string[]): void {
  const values = field['values'];
  if (field['type'] !== 'enum') {
    if (values !== undefined) problems.push(`${path}.values: only an enum has values`);
    return;
  }
  if (!Array.isArray(values) || values.length === 0 || values.length > ENUM_VALUES_MAX || !values.every(isEnumName)) {
    problems.push(
      `${path}.values: 1 to ${ENUM_VALUES_MAX} names of 1 to ${ENUM_NAME_BYTES_MAX} bytes of well-formed text`,
    );
  } else if (new Set(values).size !== values.length) {
    problems.push(`${path}.values: a name occurs twice`);
  }
}

function isEnumName(name: unknown): boolean {
  if (typeof name !== 'string' || name.length === 0 || !name.isWellFormed()) return false;
  return utf8Of(name).length <= ENUM_NAME_BYTES_MAX;
}

function readBound(field: Unread, key: string, most: number, applies: boolean, path: string, problems: string[]): void {
  const bound = field[key];
  if (bound === undefined) return;
  if (!applies)
    problems.push(`${path}.${key}: ${key === 'maxItems' ? 'only an array' : 'only text and bytes'} can say it`);
  else if (!isInteger(bound, 1, most)) problems.push(`${path}.${key}: an integer of 1 to ${most}`);
}

function readMerge(field: FieldDeclaration, path: string, problems: string[]): void {
  const merge = field.merge;
  if (merge === undefined || !oneOf(merge, MERGE_OPERATORS, `${path}.merge`, problems)) return;
  if (merge === 'keep' || merge === 'replace') return;
  const fitting = merge === 'add' ? SUMMABLE : ORDERED;
  if (field.array === true || !fitting.includes(field.type)) {
    problems.push(`${path}.merge: ${merge} needs a single value of ${fitting.join(', ')}`);
  }
}

function unknownKeys(object: Unread, known: readonly string[], path: string, problems: string[]): void {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) problems.push(`${path}${key.slice(0, 64)}: not known; possible are ${known.join(', ')}`);
  }
}

function oneOf<T extends string>(value: unknown, possible: readonly T[], path: string, problems: string[]): value is T {
  if (possible.includes(value as T)) return true;
  problems.push(`${path}: one of ${possible.join(', ')}`);
  return false;
}

function isObject(value: unknown): value is Unread {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInteger(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
