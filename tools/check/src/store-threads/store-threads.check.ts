import { ThreadsTrial, type ThreadsFindings } from '@niobe/testing';
import type { Check } from '../check.ts';
import type { Verdict } from '../verdict.ts';

/** How long writer and readers work, for each run. */
const RUN_MS = 60_000;
/** What a run must have met to prove anything. */
const SUMS_MIN = 50;
const EXPIRED_MIN = 20;
const SEGMENTS_MIN = 200;

/**
 * A writer moves amounts between accounts in atomic batches, three threads sum over snapshots: the sum is always the same. The arena is
 * small, so segments are cleaned and freed all the time, and snapshots are taken, closed while they are read, and ended for their memory.
 */
export const storeThreads: Check = {
  summary: 'three threads sum over snapshots while a writer moves amounts and the cleaner works; 60 s a run',
  async run(verdict, { seed, runs }) {
    for (let run = 0; run < (runs ?? 1); run++) await runTrial(verdict, seed + run);
  },
};

async function runTrial(verdict: Verdict, seed: number): Promise<void> {
  const trial = new ThreadsTrial(seed);
  await trial.run(() => false, RUN_MS);
  await verdict.attempt(`seed ${seed}: slots, segments and index agree at the end`, () => trial.stop());
  report(verdict, seed, trial.findings);
}

function report(verdict: Verdict, seed: number, seen: ThreadsFindings): void {
  const { sums, accounts, expired, emptiedSegments } = seen;
  verdict.expect(seen.wrong.length === 0, `seed ${seed}: every sum is the same`, seen.wrong.join('; '));
  verdict.expect(sums >= SUMS_MIN, 'snapshots were summed by threads', `${sums} twice, over ${accounts} accounts`);
  verdict.expect(expired >= EXPIRED_MIN, 'threads were told that what they read had ended', `${expired} times`);
  verdict.expect(emptiedSegments >= SEGMENTS_MIN, 'the cleaner worked', `${emptiedSegments} segments emptied`);
  verdict.expect(seen.refused === 0, 'no write was refused for the sake of a snapshot', `${seen.commits} commits`);
  verdict.note(`${seen.snapshots} snapshots, of which ${seen.evicted} were ended for their memory`);
}
