import { NiobeError, type Clock, type ErrorCode, type Random } from '@niobe/kernel';

/**
 * What a client repeats, and when.
 *
 * Harmless requests (reads, scans, batches with source offsets) are repeated after anything that a repetition can cure. Other writes
 * only after answers that say that nothing was done, because a second effect would be wrong.
 */

/** Longest wait for one answer before a harmless request is sent again: a killed shard answers nothing. */
export const ATTEMPT_MS = 5_000;

/** Longest pause between two attempts. */
const PAUSE_MS_MAX = 500;

const FIRST_PAUSE_MS = 10;

/** Nothing was done; another attempt, perhaps elsewhere, may do it. */
const NOTHING_DONE: readonly ErrorCode[] = ['NOT_PRIMARY', 'NOT_READY', 'BUSY', 'UNAVAILABLE'];

/** It may have been done. */
const UNCERTAIN: readonly ErrorCode[] = ['UNKNOWN', 'DEADLINE', 'BACKUP_UNAVAILABLE'];

/** Whether the outcome of an attempt that ended so is open. */
export function isUncertain(code: ErrorCode): boolean {
  return UNCERTAIN.includes(code);
}

/** Whether to try again after `code`. */
export function isWorthRetry(code: ErrorCode, harmless: boolean): boolean {
  return NOTHING_DONE.includes(code) || (harmless && isUncertain(code));
}

/** Pauses between attempts: doubling from 10 ms to half a second, with half of it left to chance. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #endMs: number;
  #pauseMs = FIRST_PAUSE_MS;

  /** @param endMs monotonic time after which there is no further attempt. */
  constructor(clock: Clock, random: Random, endMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#endMs = endMs;
  }

  /** Waits, at least `wishedMs` where a receiver asked for that; false if there is no time left for another attempt. */
  async pause(wishedMs: number): Promise<boolean> {
    const wantedMs = Math.max(this.#pauseMs * (0.5 + this.#random.next() / 2), Math.min(wishedMs, PAUSE_MS_MAX));
    if (this.#clock.monotonicMs() + wantedMs >= this.#endMs) return false;
    this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
    await new Promise<void>((resolve) => this.#clock.after(wantedMs, resolve));
    return true;
  }
}

/** The error of a partition that nobody serves at present. */
export function notServed(partition: number): NiobeError {
  return new NiobeError('NOT_READY', `partition ${partition} is not served at present`);
}
