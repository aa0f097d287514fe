import { degreeAt } from '@niobe/graph';
import type { PartitionStore } from '@niobe/store';

/**
 * How many ends of edges a partition lists, by adjacency schema. Counted cell by cell at the first look, after a recovery once more,
 * and kept from then on.
 */
export class EdgeEnds {
  readonly #counted = new WeakMap<PartitionStore, Map<number, number>>();

  /** Notes ends that were committed. */
  add(store: PartitionStore, schemaId: number, ends: number): void {
    const counts = this.#counted.get(store);
    const before = counts?.get(schemaId);
    if (before !== undefined) counts!.set(schemaId, before + ends);
  }

  /** The ends of a partition. The first time O(slots), then O(1). */
  of(store: PartitionStore, schemaId: number): number {
    const counts = this.#counted.get(store) ?? new Map<number, number>();
    this.#counted.set(store, counts);
    const known = counts.get(schemaId);
    if (known !== undefined) return known;
    let ends = 0;
    store.scan(schemaId, null, 0, Infinity, Infinity, (slot) => {
      ends += degreeAt(store, slot);
    });
    counts.set(schemaId, ends);
    return ends;
  }
}
