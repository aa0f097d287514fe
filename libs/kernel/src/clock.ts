/**
 * Time as a service. Nothing outside this file, the service host and composition roots reads the system's clock or sets a timer:
 * that is what lets tests and the simulator own time.
 */

/** A timer that was set. */
export interface Timer {
  /** Stops it; harmless when it has fired. */
  cancel(): void;
}

/** Wall time, monotonic time and timers. */
export interface Clock {
  /** Unix time in milliseconds; may jump. */
  nowMs(): number;
  /** Milliseconds since some start, never going back; with fractions. */
  monotonicMs(): number;
  /** Calls `fire` once after `delayMs`. The timer alone does not keep a process alive when `background` is set. */
  after(delayMs: number, fire: () => void, background?: boolean): Timer;
  /** Calls `run` once after the I/O that is already waiting: the slice boundary of long work. */
  soon(run: () => void): Timer;
}

/** The system's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, fire, background = false) {
    const timeout = setTimeout(fire, delayMs);
    if (background) timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
  soon(run) {
    const immediate = setImmediate(run);
    return { cancel: () => clearImmediate(immediate) };
  },
};

/** Resolves after `delayMs`. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}

/** Repeats `work` with `periodMs` between its end and its next start, until cancelled. `work` must not throw. */
export function every(clock: Clock, periodMs: number, work: () => void | Promise<void>): Timer {
  let stopped = false;
  let timer: Timer | null = null;
  const next = (): void => {
    if (!stopped) timer = clock.after(periodMs, run, true);
  };
  const run = (): void => {
    const result = work();
    if (result === undefined) next();
    else void result.then(next);
  };
  next();
  return {
    cancel() {
      stopped = true;
      timer?.cancel();
    },
  };
}

interface Waiting {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A clock that stands still until it is told to move; the twin of {@link systemClock}. */
export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #order = 0;
  #waiting: Waiting[] = [];

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, fire: () => void): Timer {
    const entry = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#waiting.push(entry);
    return { cancel: () => void (this.#waiting = this.#waiting.filter((other) => other !== entry)) };
  }

  soon(run: () => void): Timer {
    return this.after(0, run);
  }

  /** Moves time on and fires what falls due, in order of due time. */
  advance(byMs: number): void {
    const targetMs = this.#monotonicMs + byMs;
    for (let next = this.#takeDue(targetMs); next !== null; next = this.#takeDue(targetMs)) {
      this.#moveTo(next.dueMs);
      next.fire();
    }
    this.#moveTo(targetMs);
  }

  #takeDue(targetMs: number): Waiting | null {
    let first: Waiting | null = null;
    for (const entry of this.#waiting) {
      if (entry.dueMs > targetMs) continue;
      if (first === null || entry.dueMs < first.dueMs || (entry.dueMs === first.dueMs && entry.order < first.order))
        first = entry;
    }
    if (first !== null) this.#waiting.splice(this.#waiting.indexOf(first), 1);
    return first;
  }

  #moveTo(monotonicMs: number): void {
    const stepMs = Math.max(0, monotonicMs - this.#monotonicMs);
    this.#monotonicMs += stepMs;
    this.#nowMs += stepMs;
  }
}
