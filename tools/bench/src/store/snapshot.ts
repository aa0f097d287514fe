/** What a snapshot costs: to take one, and the writer while one is open. */
import { systemClock } from '@niobe/kernel';
import { OverwrittenStore } from '@niobe/testing';
import type { BenchGroup } from '../bench-group.ts';
import { interleaved, type Measure } from '../measure.ts';
import { atLeast, atMost, roundsOf, sizesOf, sizeText } from './plan.ts';

const SIZES = [10_000_000] as const;
/** Of what writers may use: enough dead bytes for the cleaner to have work, and room for what a snapshot pins. */
const LIVE_SHARE = 0.5;
/** Overwrites while a snapshot is open, and as many while none is, as a share of the cells. */
const WRITTEN_SHARE = 0.1;

export const snapshots: BenchGroup = {
  summary: 'the time to take a snapshot, and random overwrites while one is open beside none',
  async run(options) {
    const measures: Measure[] = [];
    for (const cells of sizesOf(options, SIZES)) {
      const store = OverwrittenStore.ofCells(cells, LIVE_SHARE, 'uniform');
      store.fill();
      measures.push(...(await measured(store, sizeText(cells), roundsOf(options))));
    }
    return measures;
  },
};

async function measured(store: OverwrittenStore, size: string, rounds: number): Promise<readonly Measure[]> {
  const takenMs: number[] = [];
  rateOf(store);
  const writes = await interleaved(
    rounds,
    () => Promise.resolve(rateBeside(store, takenMs)),
    () => Promise.resolve(rateOf(store)),
  );
  return [
    {
      group: 'store/snapshot',
      measure: `take a snapshot of ${size} cells`,
      unit: 'ms',
      candidate: takenMs,
      reference: [],
      goal: atMost(1),
      against: '',
    },
    {
      group: 'store/snapshot',
      measure: `overwrites, snapshot of ${size} open`,
      unit: 'puts/s',
      ...writes,
      goal: atLeast(0.9),
      against: 'no snapshot open',
    },
  ];
}

/** Writes a second with a snapshot open, which was taken just before; notes how long that took. */
function rateBeside(store: OverwrittenStore, takenMs: number[]): number {
  const startMs = systemClock.monotonicMs();
  const snapshot = store.store.snapshot();
  takenMs.push(systemClock.monotonicMs() - startMs);
  const rate = rateOf(store);
  snapshot.close();
  return rate;
}

function rateOf(store: OverwrittenStore): number {
  const before = store.written;
  const startMs = systemClock.monotonicMs();
  store.overwrite(store.cells * WRITTEN_SHARE);
  return ((store.written - before) * 1000) / (systemClock.monotonicMs() - startMs);
}
