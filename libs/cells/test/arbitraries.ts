import fc from 'fast-check';
import { FIELD_TYPES } from '../src/type-table.ts';
import type {
  CellRecord,
  FieldDeclaration,
  FieldDeclarations,
  FieldType,
  FieldValue,
  JsonValue,
  ScalarType,
  ScalarValue,
  SchemaDeclaration,
} from '../src/types.ts';
import { valueOf as scalarOf } from './revised-records.ts';

/** Values and declarations for property tests. */

/** All types but records. */
export const SCALAR_TYPES = FIELD_TYPES.filter((type) => type !== 'record') as readonly ScalarType[];

const ENUM_NAMES = ['red', 'green', 'blue'];
/** Records within records in a drawn declaration. */
const DEPTH_MAX = 3;

/** A declared field with what its type must say. */
export function fieldOf(
  type: ScalarType,
  flags: { optional?: boolean; array?: boolean | number; nullItems?: boolean } = {},
): FieldDeclaration {
  const { array = false } = flags;
  return {
    type,
    ...(flags.optional === true && { optional: true as const }),
    ...(array !== false && { array: array }),
    ...(array !== false && flags.nullItems === true && { nullItems: true as const }),
    ...(type === 'decimal' && { scale: 3 }),
    ...((type === 'enum' || type === 'dict') && { values: ENUM_NAMES }),
  };
}

/** A value of a field as `decode` gives it. */
export function valueOf(field: FieldDeclaration): fc.Arbitrary<FieldValue> {
  const item: fc.Arbitrary<FieldValue> = field.nullItems === true ? fc.option(singleOf(field)) : singleOf(field);
  const { array } = field;
  const length = typeof array === 'number' ? { minLength: array, maxLength: array } : { maxLength: 5 };
  const value = array === undefined ? singleOf(field) : fc.array(item, length);
  return field.optional === true ? fc.option(value as fc.Arbitrary<FieldValue>) : (value as fc.Arbitrary<FieldValue>);
}

function singleOf({ type, fields, min, max }: FieldDeclaration): fc.Arbitrary<ScalarValue | CellRecord> {
  if (type === 'record') return recordOf(fields!);
  if (type === 'json') return fc.jsonValue({ stringUnit: 'binary' }) as fc.Arbitrary<JsonValue>;
  if (min !== undefined && max !== undefined) return fc.integer({ min: min as number, max: max as number });
  return scalarOf(type);
}

/** A record of declared fields. */
export function recordOf(fields: FieldDeclarations): fc.Arbitrary<CellRecord> {
  const members = Object.entries(fields).map(([name, field]) => [name, valueOf(field)]);
  return fc.record(Object.fromEntries(members), { noNullPrototype: true });
}

/** Integers that a bound of 0 to 100 fits. */
const BOUNDED: readonly FieldType[] = ['i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'i128', 'timestamp'];

interface Drawn {
  readonly type: FieldType;
  readonly optional: boolean;
  readonly array: boolean | number;
  readonly nullItems: boolean;
  readonly isBounded: boolean;
  readonly isGiven: boolean;
  readonly fields: FieldDeclarations;
}

function drawnAt(depth: number): fc.Arbitrary<Drawn> {
  return fc.record({
    type: fc.constantFrom(...SCALAR_TYPES, ...(depth < DEPTH_MAX ? (['record', 'record', 'record'] as const) : [])),
    optional: fc.boolean(),
    array: fc.oneof(fc.constant(false), fc.constant(false), fc.constant(true), fc.integer({ min: 1, max: 9 })),
    nullItems: fc.boolean(),
    isBounded: fc.boolean(),
    isGiven: fc.boolean(),
    fields: depth < DEPTH_MAX ? fieldsAt(depth + 1) : fc.constant({}),
  });
}

function fieldsAt(depth: number): fc.Arbitrary<FieldDeclarations> {
  return fc
    .array(drawnAt(depth), { maxLength: depth === 1 ? 8 : 3 })
    .map((drawn) => Object.fromEntries(drawn.map((field, index) => [`f${index}`, declared(field)])));
}

function declared(drawn: Drawn): FieldDeclaration {
  const plain = {
    ...fieldOf(drawn.type as ScalarType, drawn),
    ...(drawn.type === 'record' && { fields: drawn.fields }),
  };
  const bounded = drawn.isBounded && BOUNDED.includes(drawn.type) ? { ...plain, min: 0, max: 100 } : plain;
  const given = drawn.isGiven && drawn.array === false ? GIVEN[drawn.type] : undefined;
  return given === undefined ? bounded : { ...bounded, default: given };
}

/** A default of each type, within the bounds above, in JSON. */
export const GIVEN: Readonly<Partial<Record<FieldType, JsonValue>>> = {
  bool: true,
  i8: 1,
  i64: '7',
  u32: 2,
  f32: 0.5,
  f64: 1.5,
  decimal: '1.250',
  char: 'ä',
  text: 'given',
  bytes: 'AAEC',
  uuid: '01234567-89ab-cdef-0123-456789abcdef',
  timestamp: 5,
  date: '2024-02-29',
  enum: 'blue',
  dict: 'green',
  id: 3,
  pos2: [1, 2],
  geo: { lat: 1, lon: 2 },
  json: { a: [1] },
};

/** Any declaration with none to eight fields. */
export const declarations: fc.Arbitrary<SchemaDeclaration> = fieldsAt(1).map((fields) => ({
  name: 'sample',
  key: 'text',
  fields,
}));

/** A declaration with a record of it. */
export const samples: fc.Arbitrary<{ declaration: SchemaDeclaration; record: CellRecord }> = declarations.chain(
  (declaration) => recordOf(declaration.fields).map((record) => ({ declaration, record })),
);
