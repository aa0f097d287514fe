import { setImmediate } from 'node:timers/promises';
import { systemClock } from '@niobe/kernel';
import { quantile } from '../measure.ts';

/** How late a probe due every millisecond was, in milliseconds. */
export interface ProbeDelays {
  readonly p50: number;
  readonly p999: number;
  readonly max: number;
}

/**
 * Does `turn` after `turn`, letting the event loop go round between them, with a probe due every millisecond. Each probe counts, with how
 * late it is: probe n is due n ms after the start.
 *
 * @param turn takes the share of the time that has gone
 */
export async function probeWhile(seconds: number, turn: (share: number) => void): Promise<ProbeDelays> {
  const delays = new Float64Array(seconds * 1000);
  const startMs = systemClock.monotonicMs();
  for (let probe = 0; probe < delays.length;) {
    turn(probe / delays.length);
    await setImmediate();
    const nowMs = systemClock.monotonicMs() - startMs;
    for (; probe < delays.length && probe <= nowMs; probe++) delays[probe] = nowMs - probe;
  }
  delays.sort();
  return { p50: quantile(delays, 0.5), p999: quantile(delays, 0.999), max: delays.at(-1)! };
}
