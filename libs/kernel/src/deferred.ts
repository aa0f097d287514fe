import { NiobeError } from './errors.ts';
import type { Clock } from './clock.ts';

/** A promise with its two ends outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** A promise that is settled from outside. A rejection nobody awaits is not reported as unhandled. */
export function deferred<T>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** `promise`, or `DEADLINE` naming `what` after `timeoutMs`. The work behind it is not cancelled. */
export async function withDeadline<T>(clock: Clock, promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const late = deferred<never>();
  const timer = clock.after(timeoutMs, () =>
    late.reject(new NiobeError('DEADLINE', `${what} took longer than ${timeoutMs} ms`)),
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    timer.cancel();
  }
}

/** Waits until `holds` is true, asking every `everyMs`; `DEADLINE` naming `what` after `timeoutMs`. */
export async function until(
  clock: Clock,
  holds: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
  everyMs = 20,
): Promise<void> {
  const endMs = clock.monotonicMs() + timeoutMs;
  while (!(await holds())) {
    if (clock.monotonicMs() >= endMs) throw new NiobeError('DEADLINE', `${what} did not happen within ${timeoutMs} ms`);
    await new Promise<void>((resolve) => clock.after(everyMs, resolve));
  }
}
