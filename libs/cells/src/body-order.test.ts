import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bodyOf, compiled } from '../test/bodies.ts';
import {
  compareSeen,
  COMPARED_TYPES,
  pathsOf,
  revisedPairs,
  valuesAt,
  type DeclaredPath,
  type RevisedRecord,
} from '../test/revised-records.ts';
import { compileSchema } from './schema.ts';
import type { ScalarType } from './types.ts';

const cases = revisedPairs
  .map((pair) => ({ pair, paths: pathsOf(pair[0].after.fields).filter(isOrdered) }))
  .filter(({ paths }) => paths.length > 0)
  .chain(({ pair, paths }) =>
    fc.record({
      pair: fc.constant(pair),
      by: fc.array(fc.record({ path: fc.constantFrom(...paths), descending: fc.boolean() }), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
  );

function isOrdered({ declaration, isMulti }: DeclaredPath): boolean {
  return !isMulti && COMPARED_TYPES.includes(declaration.type as ScalarType);
}

function compareBy(path: DeclaredPath, [left, right]: readonly [RevisedRecord, RevisedRecord]): number {
  const [a] = valuesAt(left.after.fields, left.seen, path.text);
  const [b] = valuesAt(right.after.fields, right.seen, path.text);
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return Math.sign(compareSeen(path.declaration, a, b));
}

describe('orders of bodies', () => {
  it('are those of the values, path by path, nulls below all, in bodies of either revision', () => {
    fc.assert(
      fc.property(cases, ({ pair, by }) => {
        const schema = compiled(pair[0]);
        const order = schema.compileOrder(
          by.map(({ path, descending }) => ({ path: path.text, ...(descending && { descending }) })),
        );
        const expected = by
          .map(({ path, descending }) => compareBy(path, pair) * (descending ? -1 : 1))
          .find((one) => one !== 0);
        const [a, b] = [bodyOf(pair[0]), bodyOf(pair[1])];
        expect(Math.sign(order(a, 0, a.length, b, 0, b.length))).toBe(expected ?? 0);
      }),
      { numRuns: 200 },
    );
  });

  it.each(['l', 'g'])('are refused for %s', (path) => {
    const fields = { l: { type: 'i32', array: true }, g: { type: 'geo' } } as const;
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields });
    expect(() => schema.compileOrder([{ path }])).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});
