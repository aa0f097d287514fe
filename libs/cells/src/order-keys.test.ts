import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bodyOf, compiled } from '../test/bodies.ts';
import {
  compareSeen,
  COMPARED_TYPES,
  pathsOf,
  revisedPairs,
  valuesAt,
  type RevisedRecord,
} from '../test/revised-records.ts';
import type { OrderKeys } from './order-keys.ts';
import { compileSchema } from './schema.ts';
import type { ScalarType } from './types.ts';

const cases = revisedPairs
  .map((pair) => ({ pair, paths: pathsOf(pair[0].after.fields).filter(isCompared) }))
  .filter(({ paths }) => paths.length > 0)
  .chain(({ pair, paths }) => fc.record({ pair: fc.constant(pair), path: fc.constantFrom(...paths) }));

function isCompared({ declaration }: ReturnType<typeof pathsOf>[number]): boolean {
  return COMPARED_TYPES.includes(declaration.type as ScalarType);
}

/** Collects the values of a record, and a view of each as the index keeps it. */
function collect(keys: OrderKeys, record: RevisedRecord) {
  const body = bodyOf(record);
  const count = keys.collect(body, 0, body.length);
  return Array.from({ length: count }, (_, i) => ({
    key: keys.keys[i]!,
    source: keys.source(i),
    start: keys.starts[i]!,
    end: keys.ends[i]!,
  }));
}

describe('order keys', () => {
  it('order and hash as the values do, in bodies of either revision', () => {
    fc.assert(
      fc.property(cases, ({ pair, path }) => {
        const schema = compiled(pair[0]);
        const keys = schema.orderKeys(path.text);
        const [left, right] = pair.map((record) => collect(schema.orderKeys(path.text), record));
        const [leftSeen, rightSeen] = pair.map(({ after, seen }) => valuesAt(after.fields, seen, path.text));
        expect([left!.length, right!.length]).toEqual([leftSeen!.length, rightSeen!.length]);
        for (const [i, a] of left!.entries()) {
          for (const [j, b] of right!.entries()) {
            const expected = Math.sign(compareSeen(path.declaration, leftSeen![i]!, rightSeen![j]!));
            expect(Math.sign(keys.compare(a.source, a.start, a.end, b.source, b.start, b.end))).toBe(expected);
            if (a.key !== b.key) expect(Math.sign(a.key - b.key)).toBe(expected);
            const hashes = [keys.hashAt(a.source, a.start, a.end), keys.hashAt(b.source, b.start, b.end)];
            if (expected === 0) expect(hashes[0]).toBe(hashes[1]);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are the same for the value of a clause', () => {
    fc.assert(
      fc.property(cases, ({ pair: [record], path }) => {
        const schema = compiled(record);
        const keys = schema.orderKeys(path.text);
        const values = valuesAt(record.after.fields, record.seen, path.text);
        for (const [i, { key, source, start, end }] of collect(keys, record).entries()) {
          const { value } = schema.path(path.text).clause('eq', values[i]!);
          expect(keys.keyOf(value, 0, value.length)).toBe(key);
          expect(keys.compare(value, 0, value.length, source, start, end)).toBe(0);
          expect(keys.hashAt(value, 0, value.length)).toBe(keys.hashAt(source, start, end));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('tell different values apart, mostly', () => {
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields: { a: { type: 'i64' } } });
    const keys = schema.orderKeys('a');
    const hashes = new Set<number>();
    for (let i = 0; i < 10_000; i++) {
      const { value } = schema.path('a').clause('eq', i * 256);
      hashes.add(keys.hashAt(value, 0, value.length) & 0xffff);
    }
    expect(hashes.size).toBeGreaterThan(9_000);
  });

  it.each(['p', 'j', 'r'])('are refused for %s, which has no order', (path) => {
    const fields = { p: { type: 'pos2' }, j: { type: 'json' }, r: { type: 'record', fields: {} } } as const;
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields });
    expect(() => schema.orderKeys(path)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});
