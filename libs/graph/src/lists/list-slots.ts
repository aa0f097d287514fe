import type { PartitionStore } from '@niobe/store';
import { REF_BYTES, viewOf } from './list-cells.ts';

/**
 * Finds the adjacency cells of one vertex after another.
 *
 * Vertices that were loaded together lie in slots side by side, and so do their lists; the key index scatters them over memory. So the
 * slot where a list was found is kept by the slot of its vertex. It is a guess: the key in the cell tells whether it still holds, else
 * the index is asked. Four bytes a slot, for each adjacency that is walked.
 */
export class ListSlots {
  /** The memory of the present store, for `refAt`. */
  view: DataView = new DataView(new ArrayBuffer(0));
  readonly #tables = new WeakMap<PartitionStore, Uint32Array[]>();
  readonly #key = new DataView(new ArrayBuffer(REF_BYTES));
  readonly #keyBytes = new Uint8Array(this.#key.buffer);
  #store: PartitionStore | null = null;
  #schemaId = 0;
  /** By slot of the vertex: slot of the list, plus 1; 0 where nothing is known. */
  #guesses: Uint32Array = NOTHING;

  /** Slot of a vertex's list in an adjacency schema, -1 where it has none. The vertex is given by its id, in two words. */
  find(store: PartitionStore, schemaId: number, low: number, high: number): number {
    if (store !== this.#store || schemaId !== this.#schemaId) this.#enter(store, schemaId);
    const guess = low < this.#guesses.length ? this.#guesses[low]! - 1 : -1;
    return guess >= 0 && this.#isList(store, guess, low, high) ? guess : this.#ask(store, low, high);
  }

  #enter(store: PartitionStore, schemaId: number): void {
    if (store.bytes !== this.#store?.bytes) this.view = viewOf(store);
    this.#store = store;
    this.#schemaId = schemaId;
    this.#guesses = this.#tables.get(store)?.[schemaId] ?? NOTHING;
  }

  #isList(store: PartitionStore, slot: number, low: number, high: number): boolean {
    if (store.schemaId(slot) !== this.#schemaId) return false;
    const keyAt = store.keyStart(slot);
    return this.view.getUint32(keyAt, true) === low && this.view.getUint32(keyAt + 4, true) === high;
  }

  #ask(store: PartitionStore, low: number, high: number): number {
    this.#key.setUint32(0, low, true);
    this.#key.setUint32(4, high, true);
    const slot = store.find(this.#schemaId, this.#keyBytes, 0, REF_BYTES);
    if (slot < 0) return slot;
    if (low >= this.#guesses.length) this.#grow(store, low);
    this.#guesses[low] = slot + 1;
    return slot;
  }

  /** Makes room for every slot there is; slots are dense, so an id from outside cannot ask for more. */
  #grow(store: PartitionStore, low: number): void {
    const grown = new Uint32Array(Math.max(low + 1, store.counts.slots, this.#guesses.length * 2));
    grown.set(this.#guesses);
    this.#guesses = grown;
    const tables = this.#tables.get(store) ?? [];
    tables[this.#schemaId] = grown;
    this.#tables.set(store, tables);
  }
}

const NOTHING = new Uint32Array(0);
