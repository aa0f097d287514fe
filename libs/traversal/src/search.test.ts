import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NetworkFaults } from '@niobe/grid';
import { oracleSearch, ordered, type Pairs } from '../test/oracle.ts';
import { LINKS, NEAR, TestShards } from '../test/test-shards.ts';
import { LIMIT_MAX } from './limits.ts';
import type { Hop, LevelsAnswer, Search, SearchOrder, VerticesAnswer } from './search.ts';

/** Searches over random graphs, on shards that talk over a wire with faults, against plain maps. */

const BUDGET = { vertices: 1_000_000, bytes: 64 * 1024 * 1024, ms: 60_000 };
const KEYS = 40;

interface Case {
  readonly links: Pairs;
  readonly near: Pairs;
  readonly starts: readonly number[];
  readonly hops: readonly Hop[];
  readonly order: SearchOrder;
}

const pairs = fc.array(fc.tuple(fc.nat(KEYS - 1), fc.nat(KEYS - 1)), { maxLength: 120 });
const hop = fc.oneof(
  fc.record({
    edge: fc.constant(LINKS),
    direction: fc.constantFrom('out' as const, 'in' as const, 'both' as const),
    repeat: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({
    edge: fc.constant(NEAR),
    direction: fc.constant('both' as const),
    repeat: fc.integer({ min: 1, max: 6 }),
  }),
);
const cases: fc.Arbitrary<Case> = fc.record({
  links: pairs,
  near: pairs,
  starts: fc.array(fc.nat(KEYS - 1), { minLength: 1, maxLength: 3 }),
  hops: fc.array(hop, { minLength: 1, maxLength: 4 }),
  order: fc.constantFrom('count' as const, 'key' as const, 'level' as const),
});

async function check(shards: number, { links, near, starts, hops, order }: Case, faults: NetworkFaults): Promise<void> {
  const grid = await TestShards.open(shards);
  const ids = Array.from({ length: KEYS }, (_, key) => grid.vertex('page', key));
  for (const [from, to] of links) grid.edge(LINKS, ids[from]!, ids[to]!);
  for (const [from, to] of near) grid.edge(NEAR, ids[from]!, ids[to]!);
  grid.network.setFaults(faults);
  const edges = new Map([
    ['links', links],
    ['near', near],
  ]);
  const expected = oracleSearch(edges, starts, hops);
  const start = starts.map((key) => ({ schema: 'page', key }));
  const asked: Search = { start, hops, returns: 'levels', isCounting: false, orderBy: 'key', limit: 1, budget: BUDGET };
  const levels = (await grid.drive(grid.searcher.search(asked))) as LevelsAnswer;
  expect(levels.levels).toEqual(expected.levels);
  const rowsAsked: Search = { ...asked, returns: 'vertices', isCounting: true, orderBy: order, limit: LIMIT_MAX };
  const rows = (await grid.drive(grid.searcher.search(rowsAsked))) as VerticesAnswer;
  expect(rows.total).toBe(expected.rows.length);
  expect(rows.vertices).toEqual(ordered(expected.rows, order).map((row) => ({ schema: 'page', ...row })));
  const few = (await grid.drive(grid.searcher.search({ ...rowsAsked, limit: 3 }))) as VerticesAnswer;
  expect(few.vertices).toEqual(rows.vertices.slice(0, 3));
  await grid.pass(2_000);
  expect(grid.tasks).toBe(0);
}

describe('searches over random graphs', () => {
  for (const shards of [1, 2, 4])
    it(`agree with plain maps on ${shards} shards`, async () => {
      await fc.assert(
        fc.asyncProperty(cases, (graph) => check(shards, graph, {})),
        { numRuns: 60 },
      );
    }, 60_000);

  it('agree where messages are lost, doubled and overtaken', async () => {
    const faults = { dropChance: 0.1, duplicateChance: 0.2, delayChance: 0.3, delayMsMax: 30 };
    await fc.assert(
      fc.asyncProperty(cases, (graph) => check(4, graph, faults)),
      { numRuns: 25 },
    );
  }, 60_000);
});
