import { cellIdOf } from '@niobe/cells';
import type { Clock } from '@niobe/kernel';
import type { PartitionStore } from '@niobe/store';
import type { VertexSet } from '../sets/vertex-set.ts';
import type { ReachedVertices } from './reached.ts';

/**
 * Makes reached vertices of the candidates that lie at this shard, in slices. A candidate whose cell is gone, or is another's by now, is
 * none: whoever named it holds a reference to a vertex that was deleted.
 */
export class Settling {
  readonly #reached: ReachedVertices;
  readonly #clock: Clock;
  #sets: readonly VertexSet[] = [];
  #set = 0;
  #place = 0;

  constructor(reached: ReachedVertices, clock: Clock) {
    this.#reached = reached;
    this.#clock = clock;
  }

  /** Sets out for the candidates of these sets, which are forgotten on the way. */
  begin(sets: readonly VertexSet[]): void {
    this.#sets = sets;
    this.#set = 0;
    this.#place = 0;
  }

  /** Goes on until it is through (true) or the time is up. `stores` has this shard's partitions by number. */
  run(stores: readonly (PartitionStore | null)[], endMs: number): boolean {
    for (; this.#set < this.#sets.length; this.#set++) {
      const set = this.#sets[this.#set]!;
      if (set.fresh.length === 0) continue;
      while (this.#place < set.fresh.length) {
        if (this.#clock.monotonicMs() >= endMs) return false;
        this.#some(set, stores[set.high >>> 8]!);
      }
      set.clear();
      this.#place = 0;
    }
    return true;
  }

  #some(set: VertexSet, store: PartitionStore): void {
    const { high, fresh, counts } = set;
    const { slots, highs } = this.#reached;
    const end = Math.min(fresh.length, this.#place + PLACES_PER_LOOK);
    for (; this.#place < end; this.#place++) {
      const slot = fresh.values[this.#place]!;
      if (store.slotOfId(cellIdOf(high >>> 8, high & 0xff, slot)) < 0) continue;
      slots.push(slot);
      highs.push(high);
      if (counts !== null) this.#reached.counts.push(counts.values[this.#place]!);
    }
  }
}

/** About 100 microseconds. */
const PLACES_PER_LOOK = 512;
