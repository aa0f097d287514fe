import { SoakTrial, type SoakFindings } from '@niobe/testing';
import type { Check } from '../check.ts';
import type { Verdict } from '../verdict.ts';

const ARENA_BYTES: number = 1024 * 1024 * 1024;
const MINUTES = 20;
const P999_MS = 5;
const LARGEST_MS = 20;
/** Memory may swing by so much from one minute to another: garbage of three threads that was not collected yet. */
const RESIDENT_SLACK_BYTES: number = 32 * 1024 * 1024;

/** A store that is nearly full, overwritten without end while others read snapshots of it. */
export const storeSoak: Check = {
  summary:
    'a store of 1 GiB at 90 %, overwritten for 20 minutes, a snapshot every second, three readers: no refusal, no growth, no stall',
  async run(verdict, { minutes }) {
    const trial = new SoakTrial(ARENA_BYTES);
    const residents: number[] = [];
    const stalls: SoakFindings[] = [];
    trial.fill();
    for (let minute = 1; minute <= (minutes ?? MINUTES); minute++) {
      await trial.run(60);
      const found = trial.findings();
      stalls.push(found);
      residents.push(process.memoryUsage.rss());
      verdict.note(describe(minute, found, residents.at(-1)!));
    }
    await trial.stop();
    judge(verdict, stalls, residents);
  },
};

function describe(minute: number, found: SoakFindings, residentBytes: number): string {
  const { overwritten, writeCost, snapshots, evicted, cellsRead, expired, p999Ms, largestMs } = found;
  const writes = `${overwritten} cells written at a cost of ${writeCost.toFixed(2)}`;
  const reads = `${snapshots} snapshots, ${evicted} gave way, ${cellsRead} cells read, ${expired} readers told of an end`;
  return `minute ${minute}: ${writes}; ${reads}; probe p99.9 ${p999Ms.toFixed(2)} ms, largest ${largestMs.toFixed(2)} ms; ${mib(residentBytes)} MiB resident`;
}

function judge(verdict: Verdict, stalls: readonly SoakFindings[], residents: readonly number[]): void {
  const last = stalls.at(-1)!;
  verdict.expect(last.refused === 0, 'no write met STORE_FULL', `${last.refused} refused`);
  verdict.expect(last.wrong.length === 0, 'every cell in every snapshot is right', last.wrong[0]);
  verdict.expect(last.cellsRead > 0 && last.snapshots > 0, 'snapshots were read', `${last.cellsRead} cells`);
  const first = residents[0]!;
  const most = Math.max(...residents);
  const growth = `${mib(first)} -> at most ${mib(most)} MiB`;
  verdict.expect(most <= first + RESIDENT_SLACK_BYTES, 'memory does not grow after the first minute', growth);
  const p999Ms = Math.max(...stalls.map((found) => found.p999Ms));
  const largestMs = Math.max(...stalls.map((found) => found.largestMs));
  verdict.expect(
    p999Ms < P999_MS,
    `p99.9 of the probe is below ${P999_MS} ms in every minute`,
    `${p999Ms.toFixed(2)} ms`,
  );
  verdict.expect(largestMs < LARGEST_MS, `the probe is never ${LARGEST_MS} ms late`, `${largestMs.toFixed(2)} ms`);
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
