/** `probe <arena MiB> <seconds>`: how late a probe due every 1 ms is in the thread that owns a store, in milliseconds. */
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '@niobe/kernel';
import { OverwrittenStore } from '@niobe/testing';
import { quantile } from '../../measure.ts';

const [arenaMiB, seconds] = process.argv.slice(2).map(Number) as [number, number];
const FULL_SHARE = 0.9;
/** The store is this full at first, as shares of its cells at the end: the index grows all the time. */
const FIRST_SHARE = 0.5;

const overwritten = new OverwrittenStore(arenaMiB * 1024 * 1024, FULL_SHARE, 'uniform');
const { store, cells } = overwritten;
overwritten.fill(FIRST_SHARE);

const startMs = systemClock.monotonicMs();
const delays = new Float64Array(seconds * 1000);
for (let probe = 0; probe < delays.length;) {
  const share = FIRST_SHARE + (1 - FIRST_SHARE) * (probe / delays.length);
  if (store.cells < share * cells && overwritten.isWritable) overwritten.fillSome();
  overwritten.turn();
  await setImmediate();
  // Probe n is due n ms after the start. Each that has come due meanwhile counts, with how late it is.
  const nowMs = systemClock.monotonicMs() - startMs;
  for (; probe < delays.length && probe <= nowMs; probe++) delays[probe] = nowMs - probe;
}
delays.sort();
console.log(
  JSON.stringify({
    p50: quantile(delays, 0.5),
    p999: quantile(delays, 0.999),
    max: delays.at(-1),
    cells,
    writeCost: 1 + store.movedBytes / store.writtenBytes,
    cleanerShare: overwritten.cleaningMs / (seconds * 1000),
  }),
);
