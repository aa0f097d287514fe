import type { OrderKeys } from '@niobe/cells';
import type { Arena } from '../arena.ts';
import { bodyBytesAt, bodyStartAt } from '../entry.ts';
import type { SlotTable } from '../slot-table.ts';
import type { Ties } from './node-pool.ts';

/**
 * Compares the value that is looked for with those of entries with the same key, by reading these in their cells: by slot, and the item of an
 * entry says where in the cell.
 *
 * While the entries of a slot change, the slot table may point to the cell before or after: {@link hold} says which one counts.
 */
export class ValueTies implements Ties {
  readonly #arena: Arena;
  readonly #slots: SlotTable;
  #order: OrderKeys;
  readonly #exactBelow: number;
  #isExact = false;
  #source: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  #heldSlot = -1;
  #heldAddress = 0;

  /** @param order of its own @param exactBelow keys below it (either side of 0) are values */
  constructor(arena: Arena, slots: SlotTable, order: OrderKeys, exactBelow: number) {
    this.#arena = arena;
    this.#slots = slots;
    this.#order = order;
    this.#exactBelow = exactBelow;
  }

  /** Reads cells by the order keys of a newer revision. */
  read(order: OrderKeys): void {
    this.#order = order;
  }

  get isExact(): boolean {
    return this.#isExact;
  }

  /** Looks for the value in `source[start, end)`. */
  look(key: number, source: Uint8Array, start: number, end: number): void {
    this.#isExact = Math.abs(key) < this.#exactBelow;
    this.#source = source;
    this.#start = start;
    this.#end = end;
  }

  /** Reads the cell of this slot at `address`, until told otherwise; slot -1 for none. */
  hold(slot: number, address: number): void {
    this.#heldSlot = slot;
    this.#heldAddress = address;
  }

  compare(slot: number, item: number): number {
    if (this.#isExact) return 0;
    const { bytes, words } = this.#arena;
    const order = this.#order;
    const address = slot === this.#heldSlot ? this.#heldAddress : this.#slots.address(slot);
    order.collect(bytes, bodyStartAt(words, address), bodyBytesAt(words, address));
    const { starts, ends } = order;
    return order.compare(order.source(item), starts[item]!, ends[item]!, this.#source, this.#start, this.#end);
  }
}

const NO_BYTES = new Uint8Array(0);
