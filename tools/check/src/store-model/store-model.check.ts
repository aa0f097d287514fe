import {
  addEncounters,
  LARGE_CELLS,
  modelSteps,
  ModelTrial,
  noEncounters,
  SMALL_CELLS,
  type ModelEncounters,
  type ModelScale,
} from '@niobe/testing';
import { messageOf } from '@niobe/kernel';
import type { Check } from '../check.ts';
import type { Verdict } from '../verdict.ts';

/** Sequences of each kind, unless asked otherwise. */
const SEQUENCES = 2;
/** A sequence ends when it has done so many operations. */
const OPERATIONS = 100_000;

const KINDS: Readonly<Record<string, ModelScale>> = { 'few large cells': LARGE_CELLS, 'many small cells': SMALL_CELLS };

/**
 * The store against a plain `Map`, in sequences of 100,000 operations with crashes, cleaning, snapshots, scans and expiry between them,
 * on an arena of 16 MiB of which the cells nearly fill what is theirs. A seed repeats a sequence.
 */
export const storeModel: Check = {
  summary:
    'a partition against a plain Map: 100,000 operations a sequence, on a small arena, with crashes between them',
  run(verdict, { seed, runs }) {
    for (const [kind, scale] of Object.entries(KINDS)) {
      const met = noEncounters();
      for (let run = 0; run < (runs ?? SEQUENCES); run++) runSequence(verdict, kind, scale, seed + run, met);
      const never = Object.entries(met).filter(([, count]) => count === 0);
      verdict.expect(never.length === 0, `${kind}: everything was met`, JSON.stringify(met));
    }
    return Promise.resolve();
  },
};

function runSequence(verdict: Verdict, kind: string, scale: ModelScale, seed: number, met: ModelEncounters): void {
  const trial = new ModelTrial(scale);
  let steps = 0;
  try {
    for (const step of modelSteps(scale, seed)) {
      trial.take(step);
      steps += 1;
      if (trial.met.operations >= OPERATIONS) break;
    }
    trial.finish();
    verdict.expect(true, `${kind}, seed ${seed}: as the map says`, `${trial.met.operations} operations`);
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    verdict.expect(false, `${kind}, seed ${seed}: step ${steps}`, stack);
  }
  addEncounters(met, trial.met);
}
