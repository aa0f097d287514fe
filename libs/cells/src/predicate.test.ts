import { describe, expect, it } from '@jest/globals';
import { ByteReader, ByteWriter, isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { fieldOf, SCALAR_TYPES, valueOf } from '../test/arbitraries.ts';
import { parseDecimal } from './decimal.ts';
import { encodeScalar, readClauses, writeClauses, type Clause, type ClauseOperator } from './predicate.ts';
import { compilePredicate, compileSchema } from './schema.ts';
import type { FieldDeclaration, FieldValue, ScalarValue } from './types.ts';
import { utf8Of } from './utf8.ts';

const OPERATORS: readonly ClauseOperator[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'null', 'notNull'];

function comparable(field: FieldDeclaration, value: ScalarValue): number | bigint | Uint8Array {
  if (field.type === 'decimal') return parseDecimal(value as string, 3);
  if (field.type === 'enum') return field.values!.indexOf(value as string);
  if (field.type === 'text') return utf8Of(value as string);
  return typeof value === 'boolean' ? Number(value) : (value as number | bigint | Uint8Array);
}

/** What a clause means, in plain comparisons. */
function meets(field: FieldDeclaration, value: FieldValue, op: ClauseOperator, than: ScalarValue): boolean {
  if (op === 'null' || op === 'notNull') return (value === null) === (op === 'null');
  if (value === null) return false;
  const left = comparable(field, value as ScalarValue);
  const right = comparable(field, than);
  const ordered = left instanceof Uint8Array ? Buffer.compare(left, right as Uint8Array) : null;
  const [a, b] = ordered === null ? [left, right] : [ordered, 0];
  return { eq: a == b, ne: a != b, lt: a < b, le: a <= b, gt: a > b, ge: a >= b }[op];
}

describe('predicates', () => {
  const cases = fc.constantFrom(...SCALAR_TYPES).chain((type) => {
    const field = fieldOf(type, { optional: true });
    const value = valueOf(field);
    const than = valueOf(fieldOf(type)) as fc.Arbitrary<ScalarValue>;
    return fc.record({ field: fc.constant(field), value, than, op: fc.constantFrom(...OPERATORS) });
  });

  it('compare as the values do, also after the wire', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ field, value, than, op }, same) => {
        const fields = { first: fieldOf('text', { optional: true }), field };
        const schema = compileSchema(16, 1, { name: 's', key: 'text', fields });
        const compared = same && value !== null ? (value as ScalarValue) : than;
        const operand =
          op === 'null' || op === 'notNull' ? new Uint8Array(0) : encodeScalar(schema.field('field'), compared);
        const wire = new ByteWriter(10_000);
        writeClauses([{ field: 1, op, value: operand }], wire);
        const predicate = compilePredicate(schema, readClauses(new ByteReader(wire.finish())));
        const out = new ByteWriter(10_000);
        schema.encode({ first: 'x', field: value }, out);
        expect(predicate(out.finish(), 0, out.length)).toBe(meets(field, value, op, compared));
      }),
      { numRuns: 2000 },
    );
  });

  it('are conjunctions, and true without clauses', () => {
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields: { a: fieldOf('i32'), b: fieldOf('i32') } });
    const out = new ByteWriter(1000);
    schema.encode({ a: 1, b: 2 }, out);
    const clause = (name: string, value: number): Clause => ({
      field: schema.field(name).index,
      op: 'eq',
      value: encodeScalar(schema.field(name), value),
    });
    const test = (...clauses: Clause[]): boolean => compilePredicate(schema, clauses)(out.buffer, 0, out.length);
    expect([test(), test(clause('a', 1), clause('b', 2)), test(clause('a', 1), clause('b', 3))]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('see a field added later as null in an old body', () => {
    const old = compileSchema(16, 1, { name: 's', key: 'text', fields: { a: fieldOf('i32') } });
    const fields = { a: fieldOf('i32'), b: fieldOf('text', { optional: true }) };
    const newer = compileSchema(16, 2, { name: 's', key: 'text', fields });
    const out = new ByteWriter(100);
    old.encode({ a: 1 }, out);
    const test = (op: ClauseOperator): boolean =>
      compilePredicate(newer, [{ field: 1, op, value: new Uint8Array(0) }])(out.buffer, 0, out.length);
    expect([test('null'), test('notNull'), test('eq')]).toEqual([true, false, false]);
  });

  const schema = compileSchema(16, 1, {
    name: 's',
    key: 'text',
    fields: { n: fieldOf('i32'), e: fieldOf('enum'), l: fieldOf('i32', { array: true }) },
  });

  it.each<[string, Clause]>([
    ['a field that is not there', { field: 3, op: 'null', value: new Uint8Array(0) }],
    ['a value of another width', { field: 0, op: 'eq', value: new Uint8Array(3) }],
    ['an enum without such a value', { field: 1, op: 'eq', value: Uint8Array.from([9, 0]) }],
    ['an array to be compared', { field: 2, op: 'eq', value: new Uint8Array(4) }],
  ])('refuse %s', (_, clause) => {
    expect(() => compilePredicate(schema, [clause])).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/BAD_REQUEST|SCHEMA_VIOLATION/) }),
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
});
