import { NiobeError } from '@niobe/kernel';
import { readFields } from './field-declaration.ts';
import { layOut, type Layout } from './layout.ts';
import {
  CELL_BYTES_MAX,
  INDEXES_MAX,
  type FieldDeclarations,
  type FieldType,
  type IndexDeclaration,
  type KeyType,
  type SchemaDeclaration,
} from './types.ts';
import { isObject, oneOf, unknownKeys, type Unread } from './unread.ts';

/**
 * Reads a schema declaration from anything that was parsed from JSON. All problems are told at once, each with its path, because the
 * declaration was written by a person who wants to mend the file once.
 */

const KEY_TYPES: readonly KeyType[] = ['text', 'integer', 'none', 'id', 'pair'];
const SCHEMA_KEYS: readonly string[] = ['name', 'key', 'fields', 'indexes'];
const INDEX_KEYS: readonly string[] = ['on', 'kind'];
const INDEX_KINDS: readonly IndexDeclaration['kind'][] = ['hash', 'sorted'];
const SCHEMA_NAME = /^[A-Za-z][A-Za-z0-9_.@/-]{0,199}$/;
const INDEX_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** Types whose values have no order: no index holds them. */
const NOT_INDEXED: readonly FieldType[] = ['json', 'record', 'pos2', 'pos3', 'pos4', 'geo'];

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
  const { fields, indexes } = schema;
  readFields(fields, 'fields', 1, problems);
  if (problems.length > 0) return;
  checkSize(layOut(fields as FieldDeclarations), 'fields', problems);
  if (indexes !== undefined) readIndexes(indexes, fields as FieldDeclarations, problems);
}

/** A cell must have room for the fixed fields of each record in it. */
function checkSize(layout: Layout, path: string, problems: string[]): void {
  const bytes = layout.fixedBytes[layout.steps]!;
  if (bytes > CELL_BYTES_MAX) problems.push(`${path}: ${bytes} bytes of fixed width, a cell has ${CELL_BYTES_MAX}`);
  for (const { record, name } of layout.fields)
    if (record !== null) checkSize(record, `${path}.${name}.fields`, problems);
}

function readIndexes(indexes: unknown, fields: FieldDeclarations, problems: string[]): void {
  if (!isObject(indexes)) {
    problems.push('indexes: an object of indexes by name');
    return;
  }
  const entries = Object.entries(indexes);
  if (entries.length > INDEXES_MAX) problems.push(`indexes: at most ${INDEXES_MAX}, not ${entries.length}`);
  for (const [name, index] of entries.slice(0, INDEXES_MAX)) readIndex(name, index, fields, problems);
}

function readIndex(name: string, index: unknown, fields: FieldDeclarations, problems: string[]): void {
  const path = `indexes.${name.slice(0, 64)}`;
  if (!INDEX_NAME.test(name)) problems.push(`${path}: a name is a letter, then up to 63 letters, digits and _`);
  if (!isObject(index)) {
    problems.push(`${path}: an object with on and kind`);
    return;
  }
  unknownKeys(index, INDEX_KEYS, `${path}.`, problems);
  oneOf(index['kind'], INDEX_KINDS, `${path}.kind`, problems);
  const type = typeAt(fields, index['on']);
  if (type === null) problems.push(`${path}.on: a field, or the path of one in a record`);
  else if (NOT_INDEXED.includes(type)) problems.push(`${path}.on: a ${type} cannot be in an index`);
}

/** The type of the field that a path such as `address.city` leads to; null where there is none. */
function typeAt(fields: FieldDeclarations, path: unknown): FieldType | null {
  if (typeof path !== 'string') return null;
  const [name, ...inner] = path.split('.');
  if (!Object.hasOwn(fields, name!)) return null;
  const field = fields[name!]!;
  return inner.length === 0 ? field.type : typeAt(field.fields ?? {}, inner.join('.'));
}
