import fc from 'fast-check';
import type {
  CellRecord,
  FieldDeclaration,
  FieldDeclarations,
  FieldValue,
  JsonValue,
  ScalarType,
  ScalarValue,
  SchemaDeclaration,
} from '../src/types.ts';

/**
 * Records of schemas that grew: what a record was written as, in which of two revisions, and how it reads in the newer one. The oracle of
 * paths is the plain value: nothing here knows bytes.
 */

/** A record that was written in one of two revisions. */
export interface RevisedRecord {
  readonly before: SchemaDeclaration;
  readonly after: SchemaDeclaration;
  /** Written in `before` or in `after`. */
  readonly isOld: boolean;
  readonly written: CellRecord;
  /** What a reader of `after` sees. */
  readonly seen: CellRecord;
}

/** A field with its two forms. */
interface RevisedField {
  readonly name: string;
  /** Null for a field that the newer revision adds. */
  readonly before: FieldDeclaration | null;
  readonly after: FieldDeclaration;
  /** What readers see where a record does not have the field. */
  readonly missing: FieldValue;
  /** Fields of a record. */
  readonly inner: readonly RevisedField[];
}

const ENUM_NAMES = ['red', 'green', 'blue'];
const LATER_NAMES = [...ENUM_NAMES, 'amber', 'black'];
/** Narrow types with one they may be widened to. */
const WIDER: Partial<Record<ScalarType, readonly ScalarType[]>> = {
  i8: ['i16', 'i32', 'i64', 'f64'],
  i16: ['i32', 'f64'],
  i32: ['i64', 'f64'],
  u8: ['u16', 'i16', 'u64'],
  u16: ['u32', 'i64'],
  u32: ['u64', 'i64', 'f64'],
  f32: ['f64'],
};

/** Types of which every value can be compared with any other. */
export const COMPARED_TYPES: readonly ScalarType[] = [
  'bool',
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
  'char',
  'text',
  'bytes',
  'uuid',
  'timestamp',
  'date',
  'enum',
  'dict',
  'id',
];
const OTHER_TYPES: readonly ScalarType[] = ['pos2', 'pos3', 'pos4', 'geo', 'json'];

function integers(bits: number, isSigned: boolean): fc.Arbitrary<number | bigint> {
  const min = isSigned ? -(2n ** BigInt(bits - 1)) : 0n;
  const max = isSigned ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  const few = fc.bigInt({ min: 0n, max: 3n });
  const edges = fc.constantFrom(min, max, max - 1n, max / 2n, max / 2n + 1n);
  return fc.oneof(fc.bigInt({ min, max }), edges, few).map(seenInteger);
}

/** An integer as the application sees it. */
function seenInteger(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const doubles = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1, NaN, Infinity, -Infinity));
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', 'a', 'ab', 'abcdef', 'abcdefg', 'abcdefh', '\u{1f600}', 'é'),
);

/** A value of a type, often one that another value of the type equals. */
export function valueOf(type: ScalarType): fc.Arbitrary<ScalarValue> {
  switch (type) {
    case 'bool':
      return fc.boolean();
    case 'i8':
    case 'i16':
    case 'i32':
    case 'i64':
    case 'u8':
    case 'u16':
    case 'u32':
    case 'u64':
    case 'i128':
      return integers(Number(type.slice(1)), type.startsWith('i'));
    case 'f32':
      return doubles.map(Math.fround).map((value) => (Number.isNaN(value) ? NaN : value));
    case 'f64':
      return doubles;
    case 'decimal':
      return integers(64, true).map(decimalText);
    case 'char':
      return fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
    case 'text':
      return texts;
    case 'bytes':
      return fc.uint8Array({ maxLength: 9 });
    case 'uuid':
      return fc.uuid();
    case 'timestamp':
      return fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
    case 'date':
      return fc
        .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
        .map((date) => date.toISOString().slice(0, 10));
    case 'enum':
    case 'dict':
      return fc.constantFrom(...ENUM_NAMES);
    case 'id':
      return fc.integer({ min: 0, max: 2 ** 52 - 1 });
    case 'pos2':
      return fc.array(fc.constantFrom(0, -0, 1.5, NaN), { minLength: 2, maxLength: 2 });
    case 'pos3':
      return fc.array(doubles, { minLength: 3, maxLength: 3 });
    case 'pos4':
      return fc.array(doubles, { minLength: 4, maxLength: 4 });
    case 'geo':
      return fc.record(
        { lat: fc.integer({ min: -90, max: 90 }), lon: fc.integer({ min: -180, max: 180 }) },
        { noNullPrototype: true },
      );
    case 'json':
      return fc.constantFrom<JsonValue>(1, 'x', null, [1, 2], { a: [true] }).filter((value) => value !== null);
  }
}

/** Text of an integer of thousandths. */
function decimalText(scaled: number | bigint): string {
  const digits = String(scaled).replace('-', '').padStart(4, '0');
  return `${scaled < 0 ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

/** What any field of a type says beside its type. */
function particulars(type: ScalarType): Partial<FieldDeclaration> {
  if (type === 'decimal') return { scale: 3 };
  return type === 'enum' || type === 'dict' ? { values: ENUM_NAMES } : {};
}

/** A required field of a type. */
export function declarationOf(type: ScalarType): FieldDeclaration {
  return { type, ...particulars(type) };
}

/** Flags of a field as they are drawn. */
interface Flags {
  readonly isOptional: boolean;
  readonly list: 'none' | 'any' | 'fixed';
  readonly hasNullItems: boolean;
  readonly fate: 'stays' | 'widens' | 'added' | 'given';
  readonly pick: number;
}

const flags: fc.Arbitrary<Flags> = fc.record({
  isOptional: fc.boolean(),
  list: fc.constantFrom('none', 'none', 'any', 'fixed'),
  hasNullItems: fc.boolean(),
  fate: fc.constantFrom('stays', 'widens', 'added', 'given'),
  pick: fc.nat(10),
});

function scalarField(name: string, type: ScalarType, drawn: Flags): RevisedField {
  const list = drawn.list === 'fixed' && isVariable(type) ? 'any' : drawn.list;
  const shape: FieldDeclaration = {
    type,
    ...particulars(type),
    ...(drawn.isOptional && { optional: true }),
    ...(list !== 'none' && { array: list === 'any' ? true : 3 }),
    ...(list !== 'none' && drawn.hasNullItems && { nullItems: true }),
  };
  return withFate(name, shape, list === 'none', drawn);
}

function isVariable(type: ScalarType): boolean {
  return type === 'text' || type === 'bytes' || type === 'json';
}

function withFate(name: string, shape: FieldDeclaration, isSingle: boolean, { fate, pick }: Flags): RevisedField {
  const wider = WIDER[shape.type as ScalarType] ?? [];
  if (fate === 'widens' && wider.length > 0) {
    const after = { ...shape, type: wider[pick % wider.length]! };
    return { name, before: shape, after, missing: null, inner: [] };
  }
  if (fate === 'widens' && (shape.type === 'enum' || shape.type === 'dict'))
    return { name, before: shape, after: { ...shape, values: LATER_NAMES }, missing: null, inner: [] };
  if (fate === 'added') return { name, before: null, after: { ...shape, optional: true }, missing: null, inner: [] };
  if (fate === 'given' && isSingle && shape.type === 'i32')
    return { name, before: null, after: { ...shape, default: 7 }, missing: 7, inner: [] };
  if (fate === 'given' && isSingle && shape.type === 'text')
    return { name, before: null, after: { ...shape, default: 'given' }, missing: 'given', inner: [] };
  return { name, before: shape, after: shape, missing: null, inner: [] };
}

function recordField(name: string, inner: readonly RevisedField[], drawn: Flags): RevisedField {
  const shape = (fields: FieldDeclarations): FieldDeclaration => ({
    type: 'record',
    fields,
    ...(drawn.isOptional && { optional: true }),
    ...(drawn.list !== 'none' && { array: true }),
    ...(drawn.list !== 'none' && drawn.hasNullItems && { nullItems: true }),
  });
  const before = shape(declarationsOf(inner, 'before'));
  const after = shape(declarationsOf(inner, 'after'));
  if (drawn.fate === 'added') return { name, before: null, after: { ...after, optional: true }, missing: null, inner };
  return { name, before, after, missing: null, inner };
}

function declarationsOf(fields: readonly RevisedField[], side: 'before' | 'after'): FieldDeclarations {
  const declared = fields.filter((field) => field[side] !== null);
  return Object.fromEntries(declared.map((field) => [field.name, field[side]!]));
}

function fieldsOf(depth: number): fc.Arbitrary<readonly RevisedField[]> {
  const scalar = fc.tuple(fc.constantFrom(...COMPARED_TYPES, 'i32', 'text', ...OTHER_TYPES), flags).map(
    ([type, drawn]) =>
      (name: string) =>
        scalarField(name, type as ScalarType, drawn),
  );
  const record =
    depth === 0
      ? scalar
      : fc.tuple(fieldsOf(depth - 1), flags).map(
          ([inner, drawn]) =>
            (name: string) =>
              recordField(name, inner, drawn),
        );
  return fc
    .array(fc.oneof({ weight: 3, arbitrary: scalar }, { weight: 1, arbitrary: record }), { minLength: 1, maxLength: 5 })
    .map((makers) => makers.map((make, index) => make(`f${index}`)));
}

/** A written value and what is seen of it. */
type Pair = readonly [written: FieldValue, seen: FieldValue];

function pairOf(field: RevisedField, isOld: boolean): fc.Arbitrary<Pair> {
  const form = isOld ? field.before : field.after;
  if (form === null) return fc.constant([null, field.missing]);
  const single: fc.Arbitrary<Pair> =
    form.type === 'record'
      ? recordsOf(field.inner, isOld)
      : valueOf((field.before ?? form).type as ScalarType).map((value) => [value, value]);
  const item = form.nullItems === true ? fc.option(single).map((pair): Pair => pair ?? [null, null]) : single;
  const length = typeof form.array === 'number' ? { minLength: form.array, maxLength: form.array } : { maxLength: 4 };
  const whole =
    form.array === undefined
      ? single
      : fc.array(item, length).map((pairs): Pair => [pairs.map(([w]) => w), pairs.map(([, s]) => s)] as Pair);
  return form.optional === true ? fc.option(whole).map((pair): Pair => pair ?? [null, null]) : whole;
}

function recordsOf(fields: readonly RevisedField[], isOld: boolean): fc.Arbitrary<readonly [CellRecord, CellRecord]> {
  return fc.tuple(...fields.map((field) => pairOf(field, isOld))).map((pairs) => {
    const written: CellRecord = {};
    const seen: CellRecord = {};
    for (const [index, field] of fields.entries()) {
      if (!isOld || field.before !== null) written[field.name] = pairs[index]![0];
      seen[field.name] = pairs[index]![1];
    }
    return [written, seen];
  });
}

/** Pairs of records of one schema, each in one of its two revisions. */
export const revisedPairs: fc.Arbitrary<readonly [RevisedRecord, RevisedRecord]> = fieldsOf(2).chain((fields) => {
  const schema = (side: 'before' | 'after'): SchemaDeclaration => ({
    name: 'sample',
    key: 'text',
    fields: declarationsOf(fields, side),
  });
  const [before, after] = [schema('before'), schema('after')];
  const one = fc
    .boolean()
    .chain((isOld) => recordsOf(fields, isOld).map(([written, seen]) => ({ before, after, isOld, written, seen })));
  return fc.tuple(one, one);
});

/** A path of a declaration, with what is declared at its end. */
export interface DeclaredPath {
  readonly text: string;
  readonly declaration: FieldDeclaration;
  readonly isMulti: boolean;
}

/** Every path of a declaration, those to records too. */
export function pathsOf(fields: FieldDeclarations, start = '', isMulti = false): DeclaredPath[] {
  return Object.entries(fields).flatMap(([name, declaration]) => {
    const path = { text: start + name, declaration, isMulti: isMulti || declaration.array !== undefined };
    return [path, ...pathsOf(declaration.fields ?? {}, `${path.text}.`, path.isMulti)];
  });
}

/** The values that a path leads to in a plain record, nulls left out. */
export function valuesAt(fields: FieldDeclarations, record: CellRecord, path: string): ScalarValue[] {
  const [name, ...rest] = path.split('.');
  const { array, fields: inner } = fields[name!]!;
  const value = record[name!] ?? null;
  const items = (array === undefined ? [value] : (value ?? [])) as readonly FieldValue[];
  const values = items.filter((item) => item !== null);
  if (rest.length === 0) return values as ScalarValue[];
  return values.flatMap((item) => valuesAt(inner!, item as CellRecord, rest.join('.')));
}

/** True where the first list on the way, or without one the value, is null, or a record on the way to it. */
export function isNullAt(fields: FieldDeclarations, record: CellRecord, path: string): boolean {
  const [name, ...rest] = path.split('.');
  const { array, fields: inner } = fields[name!]!;
  const value = record[name!] ?? null;
  if (value === null || array !== undefined || rest.length === 0) return value === null;
  return isNullAt(inner!, value as CellRecord, rest.join('.'));
}

/** Negative, zero or positive as the order of values has it; NaN above everything. In plain comparisons of plain values. */
export function compareSeen(declaration: FieldDeclaration, left: ScalarValue, right: ScalarValue): number {
  if (left instanceof Uint8Array) return Buffer.compare(left, right as Uint8Array);
  if (declaration.type === 'text' || declaration.type === 'dict')
    return Buffer.compare(Buffer.from(left as string), Buffer.from(right as string));
  const [a, b] = [rankOf(declaration, left), rankOf(declaration, right)];
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** What of a value plain JavaScript orders as the type is ordered. */
function rankOf({ type, values = [] }: FieldDeclaration, value: ScalarValue): number | bigint | string {
  if (type === 'enum') return values.indexOf(value as string);
  if (type === 'decimal') return BigInt((value as string).replace('.', ''));
  if (type === 'char') return (value as string).codePointAt(0)!;
  return typeof value === 'boolean' ? Number(value) : (value as number | bigint | string);
}

/** A value as the number that readers without objects get; of an i128 see {@link nearly}. */
export function numberSeen({ type, values = [] }: FieldDeclaration, value: ScalarValue): number {
  if (type === 'enum') return values.indexOf(value as string);
  if (type === 'char') return (value as string).codePointAt(0)!;
  if (type === 'date') return Date.parse(value as string) / 86_400_000;
  if (type === 'decimal') return Number((value as string).replace('.', ''));
  return Number(value);
}

/** A 64-bit integer as its unsigned bits. */
export function bitsSeen({ type }: FieldDeclaration, value: ScalarValue): bigint {
  const whole = type === 'decimal' ? (value as string).replace('.', '') : (value as number | bigint);
  return BigInt.asUintN(64, BigInt(whole));
}

/** The bytes of a value that is no number, as hexadecimal digits. */
export function bytesSeen({ type }: FieldDeclaration, value: ScalarValue): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (type === 'uuid') return (value as string).replaceAll('-', '');
  if (type === 'json') return Buffer.from(JSON.stringify(value)).toString('hex');
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  return Buffer.from(Float64Array.from(Object.values(value as object)).buffer).toString('hex');
}

/** A number to be compared: of an i128, which is rounded more than once on its way to a double, only the first digits. */
export function nearly({ type }: FieldDeclaration, value: number): number {
  return type === 'i128' ? Math.fround(value) : value;
}
