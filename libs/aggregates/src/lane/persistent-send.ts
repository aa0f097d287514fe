import { delay, isNiobeError, NiobeError, type Clock, type Logger, type Random } from '@niobe/kernel';

/**
 * Work that must be done before a lane may go on, tried until it is: a lane never skips. Between attempts it pauses, longer each time,
 * and says what it waits for, so that readiness can tell.
 */

/** One attempt at the grid or the event log. */
export const ATTEMPT_DEADLINE_MS = 5_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

/** What a lane waits for, and since when on the monotonic clock. */
export interface Waiting {
  readonly code: string;
  readonly reason: string;
  readonly sinceMs: number;
}

export class Persistence {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  #waiting: Waiting | null = null;
  #closed = false;

  constructor(clock: Clock, random: Random, logger: Logger) {
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
  }

  /** Null while nothing is being tried again. */
  get waiting(): Waiting | null {
    return this.#waiting;
  }

  /** Ends what is being tried with `CLOSED`. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Calls `attempt` until it says that all is done (null); what it gives or throws else is the reason to try again. Throws `CLOSED`, also
   * where that is the reason: what is closed does not open again.
   */
  async until(attempt: () => Promise<NiobeError | null>): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      if (this.#closed) throw new NiobeError('CLOSED', 'the lane was closed; what it had not sent is read again');
      const error = await this.#try(attempt);
      if (error === null) break;
      if (error.code === 'CLOSED') throw error;
      this.#wait(error);
      await delay(this.#clock, Math.max(pauseMs, error.details.retryAfterMs ?? 0) * (0.5 + this.#random.next()));
    }
    this.#waiting = null;
  }

  async #try(attempt: () => Promise<NiobeError | null>): Promise<NiobeError | null> {
    try {
      return await attempt();
    } catch (error) {
      if (isNiobeError(error) && !isNiobeError(error, 'OFFSET_MISMATCH')) return error;
      throw error;
    }
  }

  #wait(error: NiobeError): void {
    if (this.#waiting?.code !== error.code)
      this.#logger.warn({ code: error.code, reason: error.message }, 'a lane waits');
    const sinceMs = this.#waiting?.sinceMs ?? this.#clock.monotonicMs();
    this.#waiting = { code: error.code, reason: error.message, sinceMs };
  }
}
