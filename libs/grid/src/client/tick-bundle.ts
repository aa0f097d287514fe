import type { Clock } from '@niobe/kernel';

/**
 * Gathers what is asked for in one tick of the event loop, so that many callers of single operations share a frame. Bundles are told
 * apart by a key (operations that cannot share a run); each is handed over once, after the tick.
 */
export class TickBundles<T> {
  readonly #clock: Clock;
  readonly #begin: () => T;
  readonly #run: (key: string, bundle: T) => void;
  readonly #bundles = new Map<string, T>();

  constructor(clock: Clock, begin: () => T, run: (key: string, bundle: T) => void) {
    this.#clock = clock;
    this.#begin = begin;
    this.#run = run;
  }

  /** The bundle of this tick under `key`, to be added to at once. */
  current(key: string): T {
    const known = this.#bundles.get(key);
    if (known !== undefined) return known;
    if (this.#bundles.size === 0) this.#clock.soon(() => this.#flush());
    const bundle = this.#begin();
    this.#bundles.set(key, bundle);
    return bundle;
  }

  #flush(): void {
    const bundles = [...this.#bundles];
    this.#bundles.clear();
    for (const [key, bundle] of bundles) this.#run(key, bundle);
  }
}
