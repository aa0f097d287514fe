import { runPeer } from '@niobe/tool-check';
import type { BenchGroup } from '../bench-group.ts';
import type { Goal, Measure } from '../measure.ts';
import { atMost } from './plan.ts';
import { runProgram, type Figures } from './program.ts';

/** Length of the measurement. */
const SECONDS = 60;
const ROUNDS = 1;
const ARENA_MIB = 512;
const P999_MS = 5;
const LARGEST_MS = 20;

/** How late what is due every millisecond is in the thread that owns a store at work. */
export const probe: BenchGroup = {
  summary: 'delay of a probe due every 1 ms in the thread that owns a store, under cleaning and index growth for 60 s',
  async run({ rounds }) {
    const busy: Figures[] = [];
    const idle: Figures[] = [];
    const pausesMs: number[] = [];
    for (let round = 0; round < (rounds ?? ROUNDS); round++) {
      busy.push(await runProgram('probe', [ARENA_MIB, SECONDS]));
      idle.push(await runProgram('idle-probe', [SECONDS]));
      pausesMs.push(await collectionMs(busy.at(-1)!['cells']!));
    }
    return rows(busy, idle, pausesMs);
  },
};

/** Pause of a full collection in a process that holds as many cells as objects of a Map. */
async function collectionMs(cells: number): Promise<number> {
  return Number((await runPeer('node-map', [String(cells)]))[`number_gc_ms_${cells}`]);
}

function rows(busy: readonly Figures[], idle: readonly Figures[], pausesMs: readonly number[]): Measure[] {
  const delay = (name: string, what: string, goal?: Goal): Measure => ({
    group: 'store/probe',
    measure: `probe delay, ${what}`,
    unit: 'ms',
    candidate: busy.map((figures) => figures[name]!),
    reference: [],
    against: '',
    ...(goal === undefined ? {} : { goal }),
  });
  const machine = (row: Measure, name: string): Measure => ({
    ...row,
    measure: `${row.measure}, of a thread without work`,
    candidate: idle.map((figures) => figures[name]!),
  });
  const p999 = delay('p999', 'p99.9');
  const largest = delay('max', 'largest');
  return [
    delay('p50', 'median'),
    { ...p999, goal: atMost(P999_MS) },
    machine(p999, 'p999'),
    { ...largest, goal: atMost(LARGEST_MS) },
    machine(largest, 'max'),
    {
      ...largest,
      measure: 'longest halt',
      reference: pausesMs,
      against: 'full collection of a Map of as many objects',
    },
    { ...delay('writeCost', ''), measure: 'write cost meanwhile', unit: '' },
    { ...delay('cleanerShare', ''), measure: "cleaner's share of the thread", unit: '' },
  ];
}
