import { NiobeError } from '@niobe/kernel';
import { violation } from './field-reader.ts';

/** How far an event's time may lie ahead of its arrival. */
export const FUTURE_LIMIT_MS: number = 24 * 3_600_000;

/** Throws `TIME_IN_FUTURE` or, before 1970, `SCHEMA_VIOLATION`; `arrivalMs` is when it came. */
export function checkTime(timeMs: number, arrivalMs: number, limitMs: number = FUTURE_LIMIT_MS): void {
  if (timeMs < 0) throw violation('time', 'lies before 1970-01-01');
  if (timeMs <= arrivalMs + limitMs) return;
  throw new NiobeError('TIME_IN_FUTURE', `time: more than ${limitMs / 3_600_000} h after the event's arrival`, {
    path: 'time',
  });
}
