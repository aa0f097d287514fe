import { describe, expect, it } from '@jest/globals';
import {
  addEncounters,
  LARGE_CELLS,
  modelStep,
  modelSteps,
  ModelTrial,
  noEncounters,
  SMALL_CELLS,
  type ModelStep,
} from '@niobe/testing';
import fc from 'fast-check';

/** The store against a plain `Map`: see `ModelTrial`. `npm run check -- store-model` is the same at length. */

/** More than the memory holds, so that one trial of each run surely meets a full store. */
const FILLING: ModelStep[] = Array.from({ length: LARGE_CELLS.keys }, (_, key) => ({
  do: 'batch',
  operations: [{ kind: 'put', key, count: 1, bytes: 250_000, ttlS: 0 }],
  rollsBack: false,
}));
const SMALL_STEPS = 1_500;

describe('a partition', () => {
  it('is a map that survives cleaning, rollbacks, full memory and crashes', () => {
    const met = noEncounters();
    fc.assert(
      fc.property(fc.array(modelStep(LARGE_CELLS), { minLength: 10, maxLength: 120, size: 'max' }), (sequence) => {
        const trial = new ModelTrial(LARGE_CELLS);
        for (const step of sequence) trial.take(step);
        trial.finish();
        addEncounters(met, trial.met);
      }),
      { numRuns: 50, examples: [[FILLING]] },
    );
    // A trial that never met these would prove nothing about them.
    expect(Object.entries(met).filter(([, count]) => count === 0)).toEqual([]);
  }, 180_000);

  it('is so with thousands of small cells', () => {
    const trial = new ModelTrial(SMALL_CELLS);
    const steps = modelSteps(SMALL_CELLS, 1);
    for (let i = 0; i < SMALL_STEPS; i++) trial.take(steps.next().value as ModelStep);
    trial.finish();
    expect(trial.met.operations).toBeGreaterThan(SMALL_STEPS);
    expect(trial.met.emptied).toBeGreaterThan(0);
  }, 180_000);
});
