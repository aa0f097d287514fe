import { delay, isNiobeError, NiobeError, type Clock, type Logger } from '@niobe/kernel';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** What {@link keepTrying} needs to wait visibly and to stop. */
export interface Patience {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told what is waited for, in one line. */
  readonly starting: (progress: string) => void;
  /** Ends the waiting with `CLOSED`. */
  readonly stopping: AbortSignal;
}

/**
 * The result of `attempt`, tried again with growing pauses while what it needs is away: errors whose retry is `later` or `same`.
 * Any other error ends it. The process is not ready meanwhile and says why.
 */
export async function keepTrying<T>(patience: Patience, what: string, attempt: () => Promise<T>): Promise<T> {
  const { clock, logger, starting, stopping } = patience;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    if (stopping.aborted) throw new NiobeError('CLOSED', `stopped while waiting for ${what}`);
    try {
      return await attempt();
    } catch (error) {
      if (!isNiobeError(error) || (error.retry !== 'later' && error.retry !== 'same')) throw error;
      starting(`waiting for ${what}: ${error.message}`);
      logger.warn({ code: error.code, pauseMs }, `waiting for ${what}: ${error.message}`);
    }
    await Promise.race([delay(clock, pauseMs), aborted(stopping)]);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
