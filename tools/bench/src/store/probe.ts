import { runPeer } from '@niobe/tool-check';
import type { BenchGroup } from '../bench-group.ts';
import type { Measure } from '../measure.ts';
import { atMost } from './plan.ts';
import { runProgram, type Figures } from './program.ts';

/** Length of the measurement. */
const SECONDS = 60;
const ROUNDS = 1;
const ARENA_MIB = 512;

/** How late what is due every millisecond is in the thread that owns a store at work. */
export const probe: BenchGroup = {
  summary: 'delay of a probe due every 1 ms in the thread that owns a store, under cleaning and index growth for 60 s',
  async run({ rounds }) {
    const figures: Figures[] = [];
    const pausesMs: number[] = [];
    for (let round = 0; round < (rounds ?? ROUNDS); round++) {
      const delays = await runProgram('probe', [ARENA_MIB, SECONDS]);
      const cells = Math.round(delays['cells']!);
      figures.push(delays);
      pausesMs.push(Number((await runPeer('node-map', [String(cells)]))[`number_gc_ms_${cells}`]));
    }
    const row = (name: string, what: string): Measure => ({
      group: 'store/probe',
      measure: `probe delay, ${what}`,
      unit: 'ms',
      candidate: figures.map((one) => one[name]!),
      reference: [],
      against: '',
    });
    return [
      row('p50', 'median'),
      { ...row('p999', 'p99.9'), goal: atMost(P999_MS) },
      { ...row('max', 'largest'), goal: atMost(LARGEST_MS) },
      {
        ...row('max', 'largest, beside'),
        reference: pausesMs,
        against: 'full collection with a Map of as many objects',
      },
      { ...row('writeCost', ''), measure: 'write cost meanwhile', unit: '' },
      { ...row('cleanerShare', ''), measure: "cleaner's share of the thread", unit: '' },
    ];
  },
};

const P999_MS = 5;
const LARGEST_MS = 20;
