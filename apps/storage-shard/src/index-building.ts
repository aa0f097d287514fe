import type { Clock } from '@niobe/kernel';
import type { PartitionStore } from '@niobe/store';
import { INDEX_LOOK_MS, INDEX_SLICE_MS } from './limits.ts';

/** The thread's share for indexes that a newer revision of a schema added: a slice between requests until all are built. */
export class IndexBuilding {
  readonly #stores: () => Iterable<PartitionStore>;
  readonly #clock: Clock;
  #nextLookMs = 0;

  constructor(stores: () => Iterable<PartitionStore>, clock: Clock) {
    this.#stores = stores;
    this.#clock = clock;
  }

  /** One slice. True if there is more to do at once. */
  slice(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#nextLookMs) return false;
    for (const { indexes } of this.#stores()) if (indexes.build(INDEX_SLICE_MS)) return true;
    this.#nextLookMs = nowMs + INDEX_LOOK_MS;
    return false;
  }
}
