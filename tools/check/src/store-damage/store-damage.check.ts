import { messageOf, seededRandom } from '@niobe/kernel';
import { BYTE_READERS, DamageTrials, garbage, refuses, type DamageCounts } from '@niobe/testing';
import type { Check } from '../check.ts';
import type { Verdict } from '../verdict.ts';

const FLIPS = 2_000;
const CUTS = 500;
const GARBAGE = 20_000;
/** What reading garbage may add to the memory outside the heap. */
const GARBAGE_BYTES_MAX: number = 64 * 1024 * 1024;

/** Changed, cut and senseless bytes: what recovery and the readers of frames make of them. `--runs N` takes so many logs. */
export const storeDamage: Check = {
  summary: 'flipped bits and cut segments of a log, garbage as frames and segments: told, or without effect',
  run(verdict, { seed, runs }) {
    for (let run = 0; run < (runs ?? 1); run++) {
      const trials = new DamageTrials(seed + run);
      verdict.note(trials.summary);
      judge(verdict, 'single flipped bits', FLIPS, () => trials.flipBits(FLIPS));
      judge(verdict, 'cut segments', CUTS, () => trials.cut(CUTS));
    }
    for (const [what, read] of Object.entries(BYTE_READERS)) judgeGarbage(verdict, what, read, seed);
    return Promise.resolve();
  },
};

function judge(verdict: Verdict, what: string, trials: number, run: () => DamageCounts): void {
  try {
    const { damage, cut } = run();
    const outcome = `${damage} refused as damage, ${cut} reported as a cut tail`;
    verdict.expect(
      damage + cut === trials && damage > 0 && cut > 0,
      `${trials} ${what}: none gives a wrong value`,
      outcome,
    );
  } catch (error) {
    const cause = error instanceof Error ? messageOf(error.cause) : '';
    verdict.expect(false, `${trials} ${what}`, `${messageOf(error)}: ${cause}`);
  }
}

function judgeGarbage(verdict: Verdict, what: string, read: (bytes: Uint8Array) => void, seed: number): void {
  const random = seededRandom(seed);
  const before = process.memoryUsage().arrayBuffers;
  try {
    let refused = 0;
    for (let i = 0; i < GARBAGE; i++) refused += refuses(read, garbage(random, [])) ? 1 : 0;
    const grownBytes = process.memoryUsage().arrayBuffers - before;
    verdict.expect(grownBytes < GARBAGE_BYTES_MAX, `garbage as ${what} ${GARBAGE} times`, `${refused} refused`);
  } catch (error) {
    verdict.expect(false, `garbage as ${what}`, error instanceof Error ? (error.stack ?? '') : messageOf(error));
  }
}
