import type { PartitionStore } from './partition-store.ts';

/**
 * Chooses which partition of an arena to clean next: memory is shared, so the best victim of all of them goes first. A partition that is
 * in the middle of a victim finishes it before another begins, so that open survivor segments do not use up the reserve.
 */
export class ArenaCleaner {
  readonly #stores: () => Iterable<PartitionStore>;
  #current: PartitionStore | null = null;

  /** @param stores the partitions that are served now */
  constructor(stores: () => Iterable<PartitionStore>) {
    this.#stores = stores;
  }

  /** One slice of about `budgetMs`. True if something was done; false if nothing is to be gained now. O(segments of the arena). */
  clean(budgetMs: number): boolean {
    const candidates = [...this.#stores()].filter((store) => store.cleaningGain() > 0);
    candidates.sort((a, b) => this.#rank(b) - this.#rank(a));
    const done = candidates.find((store) => store.clean(budgetMs));
    this.#current = done ?? null;
    return done !== undefined;
  }

  #rank(store: PartitionStore): number {
    return store.cleaningGain() + (store === this.#current && store.isCleaning ? 2 : 0);
  }
}
