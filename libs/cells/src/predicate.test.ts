import { describe, expect, it } from '@jest/globals';
import { ByteReader, ByteWriter, isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { fieldOf } from '../test/arbitraries.ts';
import { bodyOf, compiled } from '../test/bodies.ts';
import {
  compareSeen,
  COMPARED_TYPES,
  declarationOf,
  isNullAt,
  pathsOf,
  revisedPairs,
  valueOf,
  valuesAt,
  type DeclaredPath,
  type RevisedRecord,
} from '../test/revised-records.ts';
import { readClauses, writeClauses, type Clause, type ClauseOperator } from './clause.ts';
import { encodeScalar } from './operand.ts';
import type { Predicate } from './predicate.ts';
import { compilePredicate, compileSchema, type CompiledSchema } from './schema.ts';
import type { ScalarType, ScalarValue } from './types.ts';

/** A condition in plain words: what a clause means. */
interface Condition {
  readonly path: DeclaredPath;
  readonly op: ClauseOperator;
  readonly than: ScalarValue;
}

const NULLS: readonly ClauseOperator[] = ['null', 'notNull'];
const COMPARISONS: readonly ClauseOperator[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

/** Operators that a path can be asked for. */
function operatorsOf({ declaration: { type }, isMulti }: DeclaredPath): readonly ClauseOperator[] {
  if (type === 'record' || type === 'json') return NULLS;
  if (isMulti) return [...NULLS, 'has'];
  if (type.startsWith('pos') || type === 'geo') return [...NULLS, 'eq', 'ne'];
  const isBytes = ['text', 'bytes', 'uuid', 'dict'].includes(type);
  return [...NULLS, ...COMPARISONS, ...(isBytes ? (['prefix'] as const) : [])];
}

function conditionOn(path: DeclaredPath, pair: readonly RevisedRecord[]): fc.Arbitrary<Condition> {
  const { type } = path.declaration;
  const seen = pair.flatMap(({ after, seen }) => valuesAt(after.fields, seen, path.text));
  const any = type === 'record' ? fc.constant(null) : valueOf(type as ScalarType);
  const than = seen.length === 0 ? any : fc.oneof(any, fc.constantFrom(...seen));
  return fc.record({ path: fc.constant(path), op: fc.constantFrom(...operatorsOf(path)), than });
}

const cases = revisedPairs.chain((pair) => {
  const paths = pathsOf(pair[0].after.fields);
  const condition = fc.constantFrom(...paths).chain((path) => conditionOn(path, pair));
  return fc.record({ pair: fc.constant(pair), conditions: fc.array(condition, { minLength: 1, maxLength: 3 }) });
});

function isMet({ after, seen }: RevisedRecord, { path, op, than }: Condition): boolean {
  if (NULLS.includes(op)) return isNullAt(after.fields, seen, path.text) === (op === 'null');
  return valuesAt(after.fields, seen, path.text).some((value) => meets(path, value, op, than));
}

function meets({ declaration }: DeclaredPath, value: ScalarValue, op: ClauseOperator, than: ScalarValue): boolean {
  if (op === 'prefix') return prefixOf(declaration.type, value, than);
  if (declaration.type.startsWith('pos') || declaration.type === 'geo') return samePlace(value, than) === (op !== 'ne');
  if (Number.isNaN(value) || Number.isNaN(than)) return op === 'ne';
  const order = compareSeen(declaration, value, than);
  const has = { eq: order === 0, ne: order !== 0, lt: order < 0, le: order <= 0, gt: order > 0, ge: order >= 0 };
  return op === 'has' ? has.eq : has[op as keyof typeof has];
}

function prefixOf(type: string, value: ScalarValue, than: ScalarValue): boolean {
  if (type === 'bytes')
    return Buffer.from(value as Uint8Array)
      .toString('hex')
      .startsWith(Buffer.from(than as Uint8Array).toString('hex'));
  return (value as string).startsWith(than as string);
}

function samePlace(a: ScalarValue, b: ScalarValue): boolean {
  const [left, right] = [Object.values(a as object) as number[], Object.values(b as object) as number[]];
  return left.every((coordinate, index) => coordinate === right[index]);
}

function clauseOf(schema: CompiledSchema, { path, op, than }: Condition): Clause {
  return schema.path(path.text).clause(op, than);
}

describe('predicates', () => {
  it('compare as the values do, in bodies of either revision, one by one and many at once, also after the wire', () => {
    fc.assert(
      fc.property(cases, ({ pair, conditions }) => {
        const schema = compiled(pair[0]);
        const wire = new ByteWriter(100_000);
        writeClauses(
          conditions.map((condition) => clauseOf(schema, condition)),
          wire,
        );
        const clauses = readClauses(new ByteReader(wire.finish()));
        const expected = pair.map((record) => conditions.every((condition) => isMet(record, condition)));
        const bodies = pair.map(bodyOf);
        const predicate = schema.compilePredicate(clauses);
        expect(bodies.map((body) => predicate(body, 0, body.length))).toEqual(expected);
        expect(selected(predicate, bodies)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it.each(COMPARED_TYPES)('compare every %s with every operator', (type) => {
    const declaration = declarationOf(type);
    const path = { text: 'field', declaration, isMulti: false };
    const schema = compileSchema(16, 1, {
      name: 's',
      key: 'text',
      fields: { field: declaration, last: fieldOf('text') },
    });
    const operators = operatorsOf(path).filter((op) => !NULLS.includes(op));
    fc.assert(
      fc.property(fc.array(valueOf(type), { minLength: 2, maxLength: 4 }), (values) => {
        const bodies = values.map((value) => {
          const out = new ByteWriter(1000);
          schema.encode({ field: value, last: 'x' }, out);
          return out.finish();
        });
        for (const op of operators) {
          const predicate = schema.compilePredicate([schema.path('field').clause(op, values[0]!)]);
          const expected = values.map((value) => meets(path, value, op, values[0]!));
          expect(bodies.map((body) => predicate(body, 0, body.length))).toEqual(expected);
          expect(selected(predicate, bodies)).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  /** The same test by a selection, over bodies that lie one behind the other. */
  function selected(predicate: Predicate, bodies: readonly Uint8Array[]): boolean[] {
    const bytes = new Uint8Array(Buffer.concat([new Uint8Array(3), ...bodies]));
    const lengths = Uint32Array.from(bodies, (body) => body.length);
    const starts = new Float64Array(bodies.length).fill(3);
    for (let i = 1; i < bodies.length; i++) starts[i] = starts[i - 1]! + lengths[i - 1]!;
    const hits = new Uint32Array(bodies.length);
    const count = predicate.select(bytes, starts, lengths, 0, bodies.length, hits);
    return bodies.map((_, index) => hits.subarray(0, count).includes(index));
  }

  it('are conjunctions, and true without clauses', () => {
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields: { a: fieldOf('i32'), b: fieldOf('i32') } });
    const out = new ByteWriter(1000);
    schema.encode({ a: 1, b: 2 }, out);
    const clause = (name: string, value: number): Clause => schema.path(name).clause('eq', value);
    const test = (...clauses: Clause[]): boolean => compilePredicate(schema, clauses)(out.buffer, 0, out.length);
    expect([test(), test(clause('a', 1), clause('b', 2)), test(clause('a', 1), clause('b', 3))]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('compare a dict with texts that it does not have', () => {
    const fields = { d: { type: 'dict', values: ['kiwi', 'apple'] } } as const;
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields });
    const out = new ByteWriter(100);
    schema.encode({ d: 'kiwi' }, out);
    const test = (op: ClauseOperator, text: string): boolean =>
      schema.compilePredicate([schema.path('d').clause(op, text)])(out.buffer, 0, out.length);
    expect([test('lt', 'lemon'), test('gt', 'banana'), test('eq', 'pear'), test('prefix', 'ki')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  const schema = compileSchema(16, 1, {
    name: 's',
    key: 'text',
    fields: {
      n: fieldOf('i32'),
      e: fieldOf('enum'),
      l: fieldOf('i32', { array: true }),
      t: fieldOf('text'),
      j: { type: 'json' },
      g: { type: 'geo' },
      r: { type: 'record', fields: { n: fieldOf('i32') } },
    },
  });
  const none = new Uint8Array(0);
  const zero = new Uint8Array(4);

  it.each<[string, Clause]>([
    ['a field that is not there', { field: 7, op: 'null', value: none }],
    ['a field that is not in a record', { field: 6, inner: [1], op: 'null', value: none }],
    ['a field in what is no record', { field: 0, inner: [0], op: 'null', value: none }],
    ['a value of another width', { field: 0, op: 'eq', value: new Uint8Array(3) }],
    ['an enum without such a value', { field: 1, op: 'eq', value: Uint8Array.from([9, 0]) }],
    ['an array to be compared', { field: 2, op: 'eq', value: zero }],
    ['one value to be searched', { field: 0, op: 'has', value: zero }],
    ['the prefix of a number', { field: 0, op: 'prefix', value: zero }],
    ['text that is not UTF-8', { field: 3, op: 'eq', value: Uint8Array.from([0xff]) }],
    ['json to be compared', { field: 4, op: 'eq', value: zero }],
    ['the order of places', { field: 5, op: 'lt', value: new Uint8Array(16) }],
    ['a record to be compared', { field: 6, op: 'eq', value: zero }],
  ])('refuse %s', (_, clause) => {
    expect(() => compilePredicate(schema, [clause])).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/BAD_REQUEST|SCHEMA_VIOLATION|MALFORMED/) }),
    );
  });

  it('are read from random bytes or refused with a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          compilePredicate(schema, readClauses(new ByteReader(bytes)));
        } catch (error) {
          if (!isNiobeError(error)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('keep the wire form of clauses on fields of the cell itself', () => {
    const out = new ByteWriter(100);
    writeClauses([{ field: 3, op: 'ge', value: encodeScalar(schema.field('t'), 'x') }], out);
    expect([...out.finish()]).toEqual([1, 3, 5, 1, 0, 0x78]);
  });
});
