import type { Clock } from '@niobe/kernel';
import type { PartitionStore } from './partition-store.ts';

/**
 * Chooses which partition of an arena to clean next: memory is shared, so the best victim of all of them goes first. A partition that is
 * in the middle of its victims finishes them before another begins, so that open survivor segments do not use up the reserve.
 */
export class ArenaCleaner {
  readonly #stores: () => Iterable<PartitionStore>;
  readonly #clock: Clock;
  #current: PartitionStore | null = null;

  /** @param stores the partitions that are served now */
  constructor(stores: () => Iterable<PartitionStore>, clock: Clock) {
    this.#stores = stores;
    this.#clock = clock;
  }

  /**
   * Works for about `budgetMs`. True if something was done; false if nothing is to be gained now. O(segments) once per choice of victims.
   */
  clean(budgetMs: number): boolean {
    const endMs = this.#clock.monotonicMs() + budgetMs;
    let steps = 0;
    for (let leftMs = budgetMs; leftMs > 0 && steps < STEPS_MAX; leftMs = endMs - this.#clock.monotonicMs()) {
      if (!this.#step(leftMs)) break;
      steps += 1;
    }
    return steps > 0;
  }

  #step(budgetMs: number): boolean {
    if (this.#current?.isCleaning === true && this.#current.clean(budgetMs)) return true;
    const gains = new Map<PartitionStore, number>();
    for (const store of this.#stores()) gains.set(store, store.cleaningGain());
    const candidates = [...gains.keys()].filter((store) => gains.get(store)! > 0);
    candidates.sort((a, b) => gains.get(b)! - gains.get(a)!);
    this.#current = candidates.find((store) => store.clean(budgetMs)) ?? null;
    return this.#current !== null;
  }
}

/** Steps of one slice, so that a clock that stands still does not make it endless. */
const STEPS_MAX = 8;
