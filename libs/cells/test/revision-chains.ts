import fc from 'fast-check';
import { FIELD_TYPES } from '../src/type-table.ts';
import type {
  CellRecord,
  FieldDeclaration,
  FieldDeclarations,
  FieldValue,
  ScalarType,
  SchemaDeclaration,
} from '../src/types.ts';
import { isWider } from '../src/widening.ts';
import { declarations, fieldOf, GIVEN, recordOf, SCALAR_TYPES } from './arbitraries.ts';

/** Declarations as people write them one after the other, each compatible with the one before, with a record of each. */

export interface Revision {
  readonly declaration: SchemaDeclaration;
  readonly record: CellRecord;
}

interface Change {
  readonly kind: 'widen' | 'loosen' | 'add' | 'give' | 'name' | 'raise';
  /** Which field, which type: any number. */
  readonly pick: number;
  /** In the records on the way, where the field is one. */
  readonly inside: boolean;
}

const changes: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('widen', 'widen', 'loosen', 'add', 'give', 'name', 'raise'),
  pick: fc.nat(1000),
  inside: fc.boolean(),
});

/** One to six revisions. */
export const chains: fc.Arbitrary<readonly Revision[]> = fc
  .tuple(declarations, fc.array(fc.array(changes, { minLength: 1, maxLength: 4 }), { maxLength: 5 }))
  .map(([first, revisions]) => {
    const all = [first];
    for (const [at, some] of revisions.entries()) {
      const { fields } = all.at(-1)!;
      all.push({ ...first, fields: some.reduce((next, change, i) => changed(next, change, `r${at}x${i}`), fields) });
    }
    return all;
  })
  .chain((all) =>
    fc.tuple(...all.map((declaration) => recordOf(declaration.fields).map((record) => ({ declaration, record })))),
  );

function changed(fields: FieldDeclarations, change: Change, added: string): FieldDeclarations {
  const { kind, pick, inside } = change;
  const names = Object.keys(fields);
  if (kind === 'add') return { [added]: { ...fieldOf(typeOf(pick), { optional: true }) }, ...fields };
  if (kind === 'give') return { ...fields, [added]: givenField(pick) };
  if (names.length === 0) return fields;
  const name = names[pick % names.length]!;
  const field = fields[name]!;
  if (inside && field.type === 'record')
    return { ...fields, [name]: { ...field, fields: changed(field.fields!, { ...change, kind: 'give' }, added) } };
  return { ...fields, [name]: changedField(field, kind, pick) };
}

function typeOf(pick: number): ScalarType {
  return SCALAR_TYPES[pick % SCALAR_TYPES.length]!;
}

function givenField(pick: number): FieldDeclaration {
  const types = Object.keys(GIVEN) as ScalarType[];
  const type = types[pick % types.length]!;
  return { ...fieldOf(type, { optional: pick % 2 === 0 }), default: GIVEN[type]! };
}

function changedField(field: FieldDeclaration, kind: Change['kind'], pick: number): FieldDeclaration {
  const wider = FIELD_TYPES.filter((type) => isWider(field.type, type));
  if (kind === 'widen' && wider.length > 0) return { ...field, type: wider[pick % wider.length]! };
  if (kind === 'loosen') return { ...field, optional: true };
  if (kind === 'name' && field.values !== undefined)
    return { ...field, values: [...field.values, `name${field.values.length}`] };
  if (kind === 'raise' && typeof field.max === 'number') return { ...field, max: 120 };
  return field;
}

/** What a reader of the declaration `newer` sees of a record that was written by `older`. */
export function seenAs(newer: FieldDeclarations, older: FieldDeclarations, record: CellRecord): CellRecord {
  return Object.fromEntries(
    Object.entries(newer).map(([name, field]) => {
      const before = older[name];
      return [name, before === undefined ? givenValue(field) : seenValue(field, before, record[name]!)];
    }),
  );
}

function seenValue(newer: FieldDeclaration, older: FieldDeclaration, value: FieldValue): FieldValue {
  if (value === null || newer.type !== 'record') return value;
  const one = (item: FieldValue): FieldValue =>
    item === null ? null : seenAs(newer.fields!, older.fields!, item as CellRecord);
  return Array.isArray(value) ? (value.map(one) as FieldValue) : one(value);
}

function givenValue({ type, default: given = null }: FieldDeclaration): FieldValue {
  if (given === GIVEN.bytes && type === 'bytes') return Uint8Array.of(0, 1, 2);
  return type === 'i64' && given !== null ? Number(given) : given;
}
