import { describe, expect, it } from '@jest/globals';
import { duration, progressBar, progressText } from './progress-line.ts';

const facts = {
  rowsDone: 270_954,
  rowsDoneNow: 250_000,
  elapsedMs: 10_000,
  fraction: 0.5,
  fractionBefore: 0.1,
  trouble: '',
};

describe('progress', () => {
  it('shows rows, the rate of this run and the time that is left', () => {
    expect(progressText(facts)).toBe('50 %  270,954 rows  25,000/s  ETA 0:13');
    expect(progressBar(facts)).toBe('[############------------] 50 %  270,954 rows  25,000/s  ETA 0:13');
  });

  it('says why it waits, and that it does not know yet', () => {
    expect(progressText({ ...facts, fraction: 0.1, rowsDoneNow: 0, trouble: 'the collector answers 503' })).toBe(
      '10 %  270,954 rows  0/s  ETA unknown  waiting: the collector answers 503',
    );
  });

  it('writes durations as clocks do', () => {
    expect([0, 59_600, 3_599_000, 3_600_000].map(duration)).toEqual(['0:00', '1:00', '59:59', '1:00:00']);
  });
});
