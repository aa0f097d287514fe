import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ByteWriter, isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { fieldOf, SCALAR_TYPES, valueOf } from '../test/arbitraries.ts';
import { parseDecimal, formatDecimal } from './decimal.ts';
import { compileSchema, type CompiledSchema } from './schema.ts';
import type { CellRecord, FieldDeclaration, FieldValue, MergeOperator, ScalarType } from './types.ts';

const SUMMABLE: readonly ScalarType[] = SCALAR_TYPES.filter((type) => /^[iuf]\d|^decimal/.test(type));
const LIMITS: Record<string, readonly [bigint, bigint]> = {
  i8: [-(2n ** 7n), 2n ** 7n],
  u8: [0n, 2n ** 8n],
  i16: [-(2n ** 15n), 2n ** 15n],
  u16: [0n, 2n ** 16n],
  i32: [-(2n ** 31n), 2n ** 31n],
  u32: [0n, 2n ** 32n],
  i64: [-(2n ** 63n), 2n ** 63n],
  decimal: [-(2n ** 63n), 2n ** 63n],
  u64: [0n, 2n ** 64n],
  i128: [-(2n ** 127n), 2n ** 127n],
};

const fields: fc.Arbitrary<FieldDeclaration> = fc
  .record({
    type: fc.constantFrom(...SCALAR_TYPES),
    merge: fc.constantFrom<MergeOperator>('keep', 'replace', 'add', 'min', 'max', 'setUnion', 'append'),
    optional: fc.boolean(),
    array: fc.constantFrom(false, false, true, true, 3),
    maxItems: fc.integer({ min: 5, max: 8 }),
  })
  .map(({ type, merge, optional, array, maxItems }) => {
    const isJoin = merge === 'setUnion' || merge === 'append';
    const isJoined = isJoin && array === true && type !== 'json';
    const combines = !isJoin && SUMMABLE.includes(type) && array === false;
    const fits = merge === 'keep' || merge === 'replace' || isJoined || combines;
    return {
      ...fieldOf(type, { optional, array }),
      ...(array === true && { maxItems }),
      merge: fits ? merge : 'replace',
    };
  });

const OVERFLOW = Symbol('overflow');
type Merged = FieldValue | typeof OVERFLOW;

/** The merge of one field in plain arithmetic. */
function mergedValue(field: FieldDeclaration, old: FieldValue, delta: FieldValue): Merged {
  if (field.merge === 'keep') return old;
  if (field.merge === 'replace') return delta;
  if (delta === null) return old;
  if (old === null) return Array.isArray(delta) ? mergedList(field, [], delta) : delta;
  if (Array.isArray(old)) return mergedList(field, old, delta as readonly FieldValue[]);
  if (field.type === 'f64') return mergedDouble(field.merge!, old as number, delta as number);
  if (field.type === 'f32') return Math.fround(mergedDouble(field.merge!, old as number, delta as number));
  const integer = (value: FieldValue): bigint =>
    BigInt(field.type === 'decimal' ? parseDecimal(value as string, 3) : (value as number | bigint));
  const [a, b] = [integer(old), integer(delta)];
  const result = field.merge === 'add' ? a + b : (field.merge === 'min') === a < b ? a : b;
  const [least, limit] = LIMITS[field.type]!;
  if (result < least || result >= limit) return OVERFLOW;
  if (field.type === 'decimal') return formatDecimal(result, 3);
  return Number.isSafeInteger(Number(result)) ? Number(result) : result;
}

function mergedList(field: FieldDeclaration, old: readonly FieldValue[], delta: readonly FieldValue[]): Merged {
  const joined = [...old];
  for (const item of delta)
    if (field.merge === 'append' || !joined.some((known) => isDeepStrictEqual(known, item))) joined.push(item);
  return joined.length > field.maxItems! ? OVERFLOW : (joined as FieldValue);
}

function mergedDouble(merge: MergeOperator, old: number, delta: number): number {
  if (merge === 'add') return old + delta;
  const above = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));
  if (merge === 'max') return above(delta, old) ? delta : old;
  return above(old, delta) ? delta : old;
}

function bodyOf(schema: CompiledSchema, record: CellRecord): Uint8Array {
  const out = new ByteWriter(1024 * 1024);
  schema.encode(record, out);
  return out.finish();
}

function merge(schema: CompiledSchema, old: Uint8Array, delta: Uint8Array): Uint8Array {
  const out = new Uint8Array(3 + schema.mergedBytesMax(old.length, delta.length)).fill(0xaa);
  const length = schema.merge(old, 0, old.length, delta, 0, delta.length, out, 3);
  expect(length).toBeLessThanOrEqual(out.length - 3);
  schema.check(out, 3, length);
  return out.slice(3, 3 + length);
}

function recordOf(declared: readonly FieldDeclaration[]): fc.Arbitrary<CellRecord> {
  return fc
    .tuple(...declared.map(valueOf))
    .map((values) => Object.fromEntries(values.map((value, i) => [`f${i}`, value])));
}

describe('merge', () => {
  const cases = fc
    .array(fields, { minLength: 1, maxLength: 7 })
    .chain((declared) =>
      fc.record({ declared: fc.constant(declared), old: recordOf(declared), delta: recordOf(declared) }),
    );

  it('does what each operator says, or overflows and leaves the old body as it was', () => {
    fc.assert(
      fc.property(cases, ({ declared, old, delta }) => {
        const schema = compileSchema(16, 1, {
          name: 'sample',
          key: 'text',
          fields: Object.fromEntries(declared.map((field, i) => [`f${i}`, field])),
        });
        const expected = declared.map((field, i) => mergedValue(field, old[`f${i}`]!, delta[`f${i}`]!));
        const oldBody = bodyOf(schema, old);
        const before = oldBody.slice();
        try {
          const body = merge(schema, oldBody, bodyOf(schema, delta));
          expect(Object.values(schema.decode(body, 0, body.length))).toStrictEqual(expected);
          expect(body).toEqual(bodyOf(schema, schema.decode(body, 0, body.length)));
        } catch (error) {
          if (!isNiobeError(error, 'OVERFLOW')) throw error;
          expect(expected).toContain(OVERFLOW);
        }
        expect(oldBody).toEqual(before);
      }),
      { numRuns: 1500 },
    );
  });

  it('joins bodies of different revisions', () => {
    const count: FieldDeclaration = { type: 'u64', merge: 'add' };
    const old = compileSchema(16, 1, { name: 's', key: 'text', fields: { n: count, t: fieldOf('text') } });
    const added = {
      high: { type: 'i64', optional: true, merge: 'max' },
      note: fieldOf('text', { optional: true }),
    } as const;
    const newer = compileSchema(16, 2, { name: 's', key: 'text', fields: { ...old.declaration.fields, ...added } });
    const oldBody = bodyOf(old, { n: 1, t: 'a' });
    const newBody = bodyOf(newer, { n: 2, t: 'b', high: 9, note: 'x' });
    const up = merge(newer, oldBody, newBody);
    expect(newer.decode(up, 0, up.length)).toStrictEqual({ n: 3, t: 'b', high: 9, note: 'x' });
    const kept = merge(newer, newBody, oldBody);
    expect(newer.decode(kept, 0, kept.length)).toStrictEqual({ n: 3, t: 'a', high: 9, note: 'x' });
    const both = merge(newer, oldBody, oldBody);
    expect(newer.decode(both, 0, both.length)).toStrictEqual({ n: 2, t: 'a', high: null, note: null });
  });

  it('crosses 64 KiB either way', () => {
    const fields: Record<string, FieldDeclaration> = {
      kept: { type: 'text', maxBytes: 100_000, merge: 'keep' },
      replaced: { type: 'text', maxBytes: 100_000 },
    };
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields });
    const long = bodyOf(schema, { kept: 'a', replaced: 'x'.repeat(70_000) });
    const short = bodyOf(schema, { kept: 'b', replaced: 'y' });
    const grown = merge(schema, short, long);
    expect(schema.decode(grown, 0, grown.length)).toStrictEqual({ kept: 'b', replaced: 'x'.repeat(70_000) });
    const shrunk = merge(schema, long, short);
    expect(schema.decode(shrunk, 0, shrunk.length)).toStrictEqual({ kept: 'a', replaced: 'y' });
  });

  it('joins long lists: each item once, whatever its length', () => {
    const fields: Record<string, FieldDeclaration> = {
      texts: { type: 'text', array: true, merge: 'setUnion', maxItems: 4000 },
      ids: { type: 'id', array: true, merge: 'setUnion', maxItems: 4000 },
    };
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields });
    const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
    const record = (numbers: readonly number[]): CellRecord => ({
      texts: numbers.map((n) => 'x'.repeat(n % 7) + n),
      ids: numbers.map((n) => n * 1024),
    });
    const joined = merge(
      schema,
      bodyOf(schema, record(range(0, 2000))),
      bodyOf(schema, record([...range(1500, 3000), 2999, 5])),
    );
    expect(schema.decode(joined, 0, joined.length)).toStrictEqual(record(range(0, 3000)));
    const more = bodyOf(schema, record(range(3000, 4001)));
    expect(() => merge(schema, joined, more)).toThrow(
      expect.objectContaining({ code: 'OVERFLOW', details: { path: 'texts' } }),
    );
  });

  it('does not add beyond what is declared', () => {
    const fields: Record<string, FieldDeclaration> = { n: { type: 'i16', merge: 'add', min: -5, max: 5 } };
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields });
    const sum = (a: number, b: number): unknown => {
      const body = merge(schema, bodyOf(schema, { n: a }), bodyOf(schema, { n: b }));
      return schema.read(body, 0, body.length, 0);
    };
    expect([sum(2, 3), sum(-2, -3)]).toEqual([5, -5]);
    for (const [a, b] of [
      [3, 3],
      [-3, -3],
    ] as const)
      expect(() => sum(a, b)).toThrow(expect.objectContaining({ code: 'OVERFLOW' }));
  });

  it('names the field that overflows', () => {
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields: { n: { type: 'u64', merge: 'add' } } });
    const body = bodyOf(schema, { n: 2n ** 63n });
    expect(() => merge(schema, body, body)).toThrow(
      expect.objectContaining({ code: 'OVERFLOW', details: { path: 'n' } }),
    );
  });
});
