import { describe, expect, it } from '@jest/globals';
import { FullTrial } from '@niobe/testing';

const ROUNDS = 5;

/** The short form of `npm run check -- store-full`. */
describe('a store that is filled until it refuses', () => {
  it.each([1, 2, 5])(
    'with %d partitions reads and deletes on, and deletes make room',
    (partitions) => {
      const trial = new FullTrial(partitions, partitions, true);
      for (let round = 0; round < ROUNDS; round++) trial.round();
      expect(trial.findings.emptiedSegments).toBeGreaterThan(0);
    },
    60_000,
  );
});
