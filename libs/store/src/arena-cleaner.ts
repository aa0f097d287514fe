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

  /** One slice of about `budgetMs`. True if something was done; false if nothing is to be gained now. O(segments) once per victim. */
  clean(budgetMs: number): boolean {
    if (this.#current?.isCleaning === true && this.#current.clean(budgetMs)) return true;
    const gains = new Map<PartitionStore, number>();
    for (const store of this.#stores()) gains.set(store, store.cleaningGain());
    const candidates = [...gains.keys()].filter((store) => gains.get(store)! > 0);
    candidates.sort((a, b) => gains.get(b)! - gains.get(a)!);
    this.#current = candidates.find((store) => store.clean(budgetMs)) ?? null;
    return this.#current !== null;
  }
}
