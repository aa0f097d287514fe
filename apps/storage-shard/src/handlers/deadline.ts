import { NiobeError, type Clock } from '@niobe/kernel';
import type { RequestHeader } from '@niobe/grid';
import { DURABLE_WAIT_MS } from '../limits.ts';
import type { ArrivedRequest } from '../requests/request-desk.ts';

/** Share of the asker's time that a wait may take, so that the answer still reaches it. */
const WAIT_SHARE = 0.8;

/** Milliseconds that the asker still waits. Throws `DEADLINE` where it has given up: then nothing is done. */
export function remainingMs(clock: Clock, request: ArrivedRequest, header: RequestHeader): number {
  const leftMs = header.deadlineMs - (clock.monotonicMs() - request.arrivedMs);
  if (leftMs > 0) return leftMs;
  throw new NiobeError('DEADLINE', `the request waited longer than its ${header.deadlineMs} ms; nothing was done`);
}

/** How long to wait for the backups on behalf of an asker who waits `leftMs`. */
export function durableWaitMs(leftMs: number): number {
  return Math.min(DURABLE_WAIT_MS, leftMs * WAIT_SHARE);
}
