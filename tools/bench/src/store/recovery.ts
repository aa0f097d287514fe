import type { BenchGroup } from '../bench-group.ts';
import type { Measure } from '../measure.ts';
import { atLeast, roundsOf, sizesOf, sizeText } from './plan.ts';
import { runProgram, type Figures } from './program.ts';

/** Cells of 100 B, with header and index of some 120: 1 GiB of log. */
const CELLS = [9_000_000];
const LEAST_MB_PER_SECOND = 300;

/** A partition from images of its segments in memory, in the one thread that a shard has. */
export const recovery: BenchGroup = {
  summary: 'a partition of 1 GiB from images of its segments in memory, beside copying and checksumming them',
  async run(options) {
    const rounds = roundsOf(options);
    const measures: Measure[] = [];
    for (const cells of sizesOf(options, CELLS)) {
      const figures = await runProgram('recovery', [cells, rounds]);
      measures.push(...measuresOf(figures, cells, rounds));
    }
    return measures;
  },
};

function measuresOf(figures: Figures, cells: number, rounds: number): Measure[] {
  const ofRounds = (name: string): number[] =>
    Array.from({ length: rounds }, (_, round) => figures[`${name}_${round}`] ?? Number.NaN);
  const common = { group: 'store/recovery', unit: 'MB/s' };
  const size = `${sizeText(cells)} of 100 B`;
  const goal = atLeast(LEAST_MB_PER_SECOND);
  const none = { reference: [], against: '' };
  const copying = { reference: ofRounds('copy'), against: 'copy and CRC-32 of the same bytes' };
  return [
    { ...common, ...none, measure: `recovery, ${size}`, candidate: ofRounds('recover'), goal },
    { ...common, ...copying, measure: `recovery by CPU, ${size}`, candidate: ofRounds('recoverCpu') },
  ];
}
