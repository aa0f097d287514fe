/** `probe <arena MiB> <seconds>`: how late a probe due every 1 ms is in the thread that owns a store at work, in milliseconds. */
import { OverwrittenStore } from '@niobe/testing';
import { probeWhile } from '../probe-clock.ts';

const [arenaMiB, seconds] = process.argv.slice(2).map(Number) as [number, number];
const FULL_SHARE = 0.9;
/** The store is this full at first, as a share of its cells at the end: the index grows all the time. */
const FIRST_SHARE = 0.5;

const overwritten = new OverwrittenStore(arenaMiB * 1024 * 1024, FULL_SHARE, 'uniform');
const { store, cells } = overwritten;
overwritten.fill(FIRST_SHARE);
const { cleaningMs } = overwritten;
const delays = await probeWhile(seconds, (share) => {
  const due = cells * (FIRST_SHARE + (1 - FIRST_SHARE) * share);
  if (store.cells < due && overwritten.isWritable) overwritten.fillSome();
  overwritten.turn();
});
console.log(
  JSON.stringify({
    ...delays,
    cells: store.cells,
    writeCost: 1 + store.counts.movedBytes / store.counts.writtenBytes,
    cleanerShare: (overwritten.cleaningMs - cleaningMs) / (seconds * 1000),
  }),
);
