/** `overwrite <arena MiB> <percent> <uniform|zipf> <arenas>`: overwrites a second, after so many arenas of overwrites. */
import { systemClock } from '@niobe/kernel';
import { OverwrittenStore, type KeyChoice } from '@niobe/testing';

const [arenaMiB, percent, choice, arenas] = process.argv.slice(2);
const overwritten = new OverwrittenStore(Number(arenaMiB) * 1024 * 1024, Number(percent) / 100, choice as KeyChoice);
const { store, cellsOfArena } = overwritten;
overwritten.fill();
overwritten.overwrite(cellsOfArena * Number(arenas));

const { written, cleaningMs } = overwritten;
const { movedBytes, writtenBytes } = store.counts;
const cpu = process.cpuUsage();
const startMs = systemClock.monotonicMs();
overwritten.overwrite(cellsOfArena);
const spentMs = systemClock.monotonicMs() - startMs;
const { user, system } = process.cpuUsage(cpu);
const cells = overwritten.written - written;
console.log(
  JSON.stringify({
    overwrites: (cells / spentMs) * 1000,
    cpuMicroseconds: (user + system) / cells,
    cleanerShare: (overwritten.cleaningMs - cleaningMs) / spentMs,
    writeCost: 1 + (store.counts.movedBytes - movedBytes) / (store.counts.writtenBytes - writtenBytes),
  }),
);
