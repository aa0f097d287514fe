import { describe, expect, it } from '@jest/globals';
import { ThreadsTrial } from '@niobe/testing';

const DEADLINE_MS = 90_000;

describe('snapshots and threads', () => {
  it('see the same sum in every snapshot while a writer moves amounts and the cleaner works', async () => {
    const trial = new ThreadsTrial(5);
    try {
      await trial.run((seen) => seen.sums >= 20 && seen.expired >= 3 && seen.emptiedSegments >= 30, DEADLINE_MS);
    } finally {
      await trial.stop();
    }
    expect(trial.findings.wrong).toEqual([]);
    expect([trial.findings.refused, trial.findings.sums >= 20]).toEqual([0, true]);
  }, 120_000);
});
