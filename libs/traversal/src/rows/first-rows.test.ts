import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FirstRows } from './first-rows.ts';
import { Row, rowOrder } from './row.ts';

const rowOf = (key: string | number, level: number, count: number): Row => {
  const row = new Row();
  row.level = level;
  row.count = count;
  if (typeof key === 'string') {
    const bytes = new TextEncoder().encode(key);
    row.setKey(16, 'text', bytes, 0, bytes.length);
  } else {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(key), true);
    row.setKey(17, 'integer', bytes, 0, 8);
  }
  return row;
};

const rows = fc.array(
  fc
    .tuple(fc.oneof(fc.string(), fc.maxSafeInteger()), fc.nat(3), fc.nat(3))
    .map(([key, level, count]) => rowOf(key, level, count)),
  { maxLength: 60 },
);

describe('FirstRows', () => {
  it('keeps the first rows of any order', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), fc.constantFrom('count', 'key', 'level'), (all, limit, by) => {
        const compare = rowOrder(by);
        const first = new FirstRows(limit, compare);
        for (const row of all) first.offer(row);
        const taken: Row[] = [];
        while (first.length > 0) taken.unshift(first.takeLast());
        const expected = all.toSorted(compare).slice(0, limit);
        expect(taken.length).toBe(expected.length);
        for (const [i, row] of taken.entries()) expect(compare(row, expected[i]!)).toBe(0);
      }),
    );
  });

  it('orders integers by value, texts by code points, and integers first', () => {
    const keys = ['a', 'ä', '', 'B', '\u{1f600}', '\uffee', 3, -5, 2 ** 53 - 1, -(2 ** 53 - 1)];
    const sorted = keys.map((key) => [key, rowOf(key, 0, 0)] as const).toSorted((a, b) => rowOrder('key')(a[1], b[1]));
    expect(sorted.map(([key]) => key)).toEqual([
      -(2 ** 53 - 1),
      -5,
      3,
      2 ** 53 - 1,
      '',
      'B',
      'a',
      'ä',
      '\uffee',
      '\u{1f600}',
    ]);
  });
});
