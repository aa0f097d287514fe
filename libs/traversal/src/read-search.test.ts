import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isNiobeError, NiobeError } from '@niobe/kernel';
import { EDGES, LINKS, PURCHASED, VERTICES } from '../test/test-shards.ts';
import { readSearch } from './read-search.ts';

const GOOD = {
  start: [{ schema: 'product', key: 'p1' }],
  hops: [
    { edge: 'purchased', direction: 'in' },
    { edge: 'purchased', direction: 'out' },
  ],
  return: 'vertices',
};

const read = (body: unknown): ReturnType<typeof readSearch> => readSearch(body, EDGES, VERTICES);

/** The refusal of a body: code and message. */
function refusal(body: unknown): string {
  try {
    read(body);
  } catch (error) {
    if (error instanceof NiobeError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'taken';
}

describe('readSearch', () => {
  it('fills in what is not said', () => {
    expect(read(GOOD)).toEqual({
      start: [{ schema: 'product', key: 'p1' }],
      hops: [
        { edge: PURCHASED, direction: 'in', repeat: 1 },
        { edge: PURCHASED, direction: 'out', repeat: 1 },
      ],
      returns: 'vertices',
      isCounting: false,
      orderBy: 'key',
      limit: 100,
      budget: { vertices: 10_000_000, bytes: 268_435_456, ms: 10_000 },
    });
    expect(read({ ...GOOD, count: true }).orderBy).toBe('count');
  });

  it('takes integer keys as numbers and text keys as texts', () => {
    const hops = [{ edge: 'links', direction: 'out', repeat: 1_000 }];
    const body = { start: [{ schema: 'page', key: 0 }], hops, return: 'levels' };
    expect(read(body)).toMatchObject({
      start: [{ key: 0 }],
      hops: [{ edge: LINKS, repeat: 1_000 }],
      returns: 'levels',
    });
    expect(refusal({ ...body, start: [{ schema: 'page', key: '0' }] })).toMatch(
      /^SCHEMA_VIOLATION start\[0\]\.key: .*integers/,
    );
    expect(refusal({ ...GOOD, start: [{ schema: 'user', key: 7 }] })).toMatch(
      /^SCHEMA_VIOLATION start\[0\]\.key: .*texts/,
    );
  });

  const cases: readonly [string, object, RegExp][] = [
    [
      'an unknown schema',
      { start: [{ schema: 'cat', key: 'x' }] },
      /^UNKNOWN_SCHEMA start\[0\]\.schema: .*there are page, user, product/,
    ],
    [
      'an unknown edge',
      { hops: [{ edge: 'owns', direction: 'out' }] },
      /^UNKNOWN_EDGE hops\[0\]\.edge: .*there are links, near, purchased/,
    ],
    [
      'an unknown direction',
      { hops: [{ edge: 'purchased', direction: 'up' }] },
      /hops\[0\]\.direction: possible are out, in, both/,
    ],
    [
      'a direction of an undirected edge',
      { hops: [{ edge: 'near', direction: 'out' }] },
      /near is undirected: expected both/,
    ],
    [
      'an edge that does not fit',
      { hops: [{ edge: 'purchased', direction: 'out' }] },
      /leads from user, and these vertices are product/,
    ],
    [
      'an edge that does not fit later',
      { hops: [...GOOD.hops, { edge: 'links', direction: 'both' }] },
      /hops\[2\]\.edge: .*leads from page/,
    ],
    [
      'a depth of 10^9',
      { hops: [{ edge: 'purchased', direction: 'in', repeat: 1e9 }] },
      /repeat: expected an integer of 1 to 1000/,
    ],
    ['a negative limit', { limit: -1 }, /^SCHEMA_VIOLATION limit: expected an integer of 1 to 10000/],
    ['a budget of zero', { budget: { vertices: 0 } }, /budget\.vertices: expected an integer of 1/],
    ['a budget of no number', { budget: { ms: '5' } }, /budget\.ms: expected an integer of 1 to 60000/],
    ['no start', { start: [] }, /start: expected a list of 1 to 1024/],
    ['no hops', { hops: [] }, /hops: expected a list of 1 to 32/],
    ['nothing to return', { return: undefined }, /return: possible are vertices, levels/],
    ['counts of levels', { return: 'levels', count: true }, /count: belongs to "return": "vertices"/],
    ['an order by counts that are not there', { orderBy: 'count' }, /needs "count": true/],
    ['a field that is not known', { filter: 1 }, /a field that is not known; possible are start, hops/],
  ];
  for (const [what, change, expected] of cases)
    it(`refuses ${what}`, () => {
      expect(refusal({ ...GOOD, ...change })).toMatch(expected);
    });

  it('refuses anything else by a typed error', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.record({ start: fc.anything(), hops: fc.anything(), return: fc.anything() }),
      fc.record({ start: fc.constant(GOOD.start), hops: fc.array(fc.anything()), return: fc.constant('levels') }),
    );
    fc.assert(
      fc.property(anything, (body) => {
        try {
          read(body);
        } catch (error) {
          expect(isNiobeError(error) && error.status < 500).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
