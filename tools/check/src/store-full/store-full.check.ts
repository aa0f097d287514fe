import { FullTrial } from '@niobe/testing';
import { messageOf } from '@niobe/kernel';
import type { Check } from '../check.ts';
import type { Verdict } from '../verdict.ts';

/** How often the store is filled, unless asked otherwise. */
const FILLS = 1_000;
/** Fills of one arena, after which another takes its place: with another number of partitions. */
const FILLS_PER_ARENA = 100;
const PARTITIONS = [1, 2, 5] as const;

/** The store full, a thousand times: it goes on reading and deleting, deletes make room, and nothing is lost. */
export const storeFull: Check = {
  summary:
    'a store of 24 MiB filled until it refuses 1,000 times: reads and deletes go on, deletes make room, all as a Map says',
  run(verdict, { seed, runs }) {
    const fills = runs ?? FILLS;
    verdict.note(`seed ${seed}, ${fills} fills`);
    for (let arena = 0; arena * FILLS_PER_ARENA < fills; arena++) {
      const count = Math.min(FILLS_PER_ARENA, fills - arena * FILLS_PER_ARENA);
      runArena(verdict, seed + arena, PARTITIONS[arena % PARTITIONS.length]!, count);
    }
    return Promise.resolve();
  },
};

function runArena(verdict: Verdict, seed: number, partitions: number, fills: number): void {
  const trial = new FullTrial(seed, partitions);
  const what = `seed ${seed}, ${partitions} partitions: filled ${fills} times`;
  try {
    for (let fill = 0; fill < fills; fill++) trial.round();
    const { written, deleted, compared, emptiedSegments } = trial.findings;
    const detail = `${written} written, ${deleted} deleted, ${compared} compared, ${emptiedSegments} segments emptied`;
    verdict.expect(emptiedSegments > 0, what, detail);
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    verdict.expect(false, what, `round ${trial.findings.rounds}: ${stack}`);
  }
}
