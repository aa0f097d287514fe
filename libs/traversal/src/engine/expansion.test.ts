import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@niobe/kernel';
import { LINKS, NEAR, PARTITIONS, TestShards } from '../../test/test-shards.ts';
import { VertexSets } from '../sets/vertex-sets.ts';
import { Expansion } from './expansion.ts';
import { ReachedVertices } from './reached.ts';
import { ReaderPool } from './reader-pool.ts';

/** Every look at it says that the time is up. */
class LateClock extends ManualClock {
  override monotonicMs(): number {
    return Infinity;
  }
}

/** So linked that three chunks of this size are in front; the next link joins them with itself. */
const LINKED = 4_096;
const HUB_NEIGHBOURS: number = 11 * LINKED;
const LATER_NEIGHBOURS: number = 5 * LINKED;

describe('an expansion that is interrupted', () => {
  let grid: TestShards;
  let ids: number[];
  let sets: VertexSets;
  let reached: ReachedVertices;
  let expansion: Expansion;
  const schemaOf = (name: string): number => grid.schemas.byName(name)!.id;
  const out = LINKS.adjacency('out');

  /** Runs to the end; `between` the slices, which are counted. */
  const run = (between: (slice: number) => void): number => {
    let slices = 1;
    for (; !expansion.run(grid.stores, 0); slices++) between(slices);
    return slices;
  };
  const candidates = (): number => sets.all.reduce((sum, { fresh }) => sum + fresh.length, 0);
  const counts = (): Set<number> =>
    new Set(sets.all.flatMap(({ counts: column }) => [...column!.values.subarray(0, column!.length)]));

  beforeEach(async () => {
    grid = await TestShards.open(1);
    ids = Array.from({ length: 1 + HUB_NEIGHBOURS + LATER_NEIGHBOURS }, (_, key) => grid.vertex('page', key));
    for (let at = 1; at <= HUB_NEIGHBOURS; at += LINKED) grid.link(out, ids[0]!, ids.slice(at, at + LINKED));
    sets = new VertexSets(new Uint16Array(PARTITIONS));
    sets.count();
    reached = new ReachedVertices();
    reached.slots.push(ids[0]! % 2 ** 32);
    reached.highs.push(Math.floor(ids[0]! / 2 ** 32));
    expansion = new Expansion({ reached, sets, readers: new ReaderPool(), clock: new LateClock() });
  });

  it('leads to each neighbour once', () => {
    expansion.begin(0, 1, [schemaOf(out)]);
    expect(run(() => undefined)).toBeGreaterThan(2);
    expect(candidates()).toBe(HUB_NEIGHBOURS);
    expect(counts()).toEqual(new Set([1]));
  });

  it('begins a list anew that was rewritten in between, and still counts each lead once', () => {
    expansion.begin(0, 1, [schemaOf(out)]);
    run((slice) => {
      const at = 1 + HUB_NEIGHBOURS + (slice - 1) * LINKED;
      if (at < ids.length) grid.link(out, ids[0]!, ids.slice(at, at + LINKED));
    });
    expect(candidates()).toBeGreaterThanOrEqual(HUB_NEIGHBOURS);
    expect(candidates()).toBeLessThanOrEqual(ids.length - 1);
    expect(counts()).toEqual(new Set([1]));
  });

  it('counts a neighbour on both sides once', () => {
    grid.edge(NEAR, ids[0]!, ids[0]!);
    grid.link(LINKS.adjacency('in'), ids[0]!, ids.slice(1, 100));
    expansion.begin(0, 1, [schemaOf(out), schemaOf(LINKS.adjacency('in'))]);
    run(() => undefined);
    expect(candidates()).toBe(HUB_NEIGHBOURS);
    expect(counts()).toEqual(new Set([1]));
  });
});
