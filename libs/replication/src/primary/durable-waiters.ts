import { deferred, type Deferred, type NiobeError } from '@niobe/kernel';

interface Waiter {
  readonly seq: number;
  readonly dueMs: number;
  readonly answer: Deferred<void>;
}

/** Those who wait until a commit of one partition is durable. A waiter is a batch, not an operation. */
export class DurableWaiters {
  #waiters: Waiter[] = [];

  get count(): number {
    return this.#waiters.length;
  }

  /** Waits for `seq` until `dueMs` of the monotonic clock. */
  add(seq: number, dueMs: number): Promise<void> {
    const answer = deferred<void>();
    this.#waiters.push({ seq, dueMs, answer });
    return answer.promise;
  }

  /** Everything up to `seq` is durable. O(waiters). */
  reach(seq: number): void {
    this.#settle(
      (waiter) => waiter.seq <= seq,
      (waiter) => waiter.answer.resolve(),
    );
  }

  /** Fails those whose time is over at `nowMs`. */
  expire(nowMs: number, errorFor: (seq: number) => NiobeError): void {
    this.#settle(
      (waiter) => waiter.dueMs <= nowMs,
      (waiter) => waiter.answer.reject(errorFor(waiter.seq)),
    );
  }

  /** Fails all. */
  fail(error: NiobeError): void {
    this.#settle(
      () => true,
      (waiter) => waiter.answer.reject(error),
    );
  }

  #settle(isOver: (waiter: Waiter) => boolean, end: (waiter: Waiter) => void): void {
    if (!this.#waiters.some(isOver)) return;
    const over = this.#waiters.filter(isOver);
    this.#waiters = this.#waiters.filter((waiter) => !isOver(waiter));
    for (const waiter of over) end(waiter);
  }
}
