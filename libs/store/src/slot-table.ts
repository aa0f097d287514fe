import { assert } from '@niobe/kernel';
import { SlotQueue } from './slot-queue.ts';

/**
 * Slot to address of the slot's latest entry: its cell, or the tombstone it was deleted by. Pages of 4,096 slots, so that growth never
 * copies. The schema id beside the address lets a scan pass over cells of other schemas without touching them; 0 means no cell.
 *
 * A freed slot waits in a queue and is reused oldest first with the next generation, which stands in its tombstone.
 */
export class SlotTable {
  readonly #addresses: Uint32Array[] = [];
  readonly #schemaIds: Uint16Array[] = [];
  readonly #free = new SlotQueue();
  #count = 0;
  #cells = 0;
  /** Slots that have a cell, by schema. */
  #cellsOf = new Uint32Array(SCHEMAS_FIRST);

  /** Slots that were ever used: every slot is below this. */
  get count(): number {
    return this.#count;
  }

  /** Slots that have a cell. */
  get cells(): number {
    return this.#cells;
  }

  /** Slots that have a cell of a schema. O(1). */
  cellsOf(schemaId: number): number {
    return this.#cellsOf[schemaId] ?? 0;
  }

  /** Free slots that wait to be reused. */
  get freeCount(): number {
    return this.#free.length;
  }

  /** Address of the latest entry, 0 for none. The slot must be below {@link count}. */
  address(slot: number): number {
    return this.#addresses[slot >>> PAGE_BITS]![slot & PAGE_MASK]!;
  }

  /** Schema of the slot's cell, 0 where it has none. */
  schemaId(slot: number): number {
    return this.#schemaIds[slot >>> PAGE_BITS]![slot & PAGE_MASK]!;
  }

  /** Points the slot to another entry of the same kind. */
  move(slot: number, address: number): void {
    this.#addresses[slot >>> PAGE_BITS]![slot & PAGE_MASK] = address;
  }

  /** Points the slot to an entry; `schemaId` is 0 for a tombstone. */
  set(slot: number, address: number, schemaId: number): void {
    const schemaIds = this.#schemaIds[slot >>> PAGE_BITS]!;
    this.#countCell(schemaIds[slot & PAGE_MASK]!, -1);
    this.#countCell(schemaId, 1);
    this.#addresses[slot >>> PAGE_BITS]![slot & PAGE_MASK] = address;
    schemaIds[slot & PAGE_MASK] = schemaId;
  }

  #countCell(schemaId: number, change: number): void {
    if (schemaId === 0) return;
    if (schemaId >= this.#cellsOf.length) this.#countMoreSchemas(schemaId);
    this.#cellsOf[schemaId]! += change;
    this.#cells += change;
  }

  #countMoreSchemas(schemaId: number): void {
    const grown = new Uint32Array(Math.max(schemaId + 1, this.#cellsOf.length * 2));
    grown.set(this.#cellsOf);
    this.#cellsOf = grown;
  }

  /** True if the next slot taken is one that was never used. */
  get nextIsFresh(): boolean {
    return this.#free.length === 0;
  }

  /** The oldest free slot, or one that was never used. */
  take(): number {
    return this.#free.length > 0 ? this.#free.shift() : this.append();
  }

  /** A slot that was never used. */
  append(): number {
    const slot = this.#count;
    if (slot >>> PAGE_BITS === this.#addresses.length) {
      this.#addresses.push(new Uint32Array(PAGE_SLOTS));
      this.#schemaIds.push(new Uint16Array(PAGE_SLOTS));
    }
    this.#count += 1;
    return slot;
  }

  /** Undoes {@link take}. */
  untake(slot: number, wasFresh: boolean): void {
    if (!wasFresh) {
      this.#free.unshift(slot);
      return;
    }
    assert(slot === this.#count - 1, 'slots are put back in reverse order');
    this.#count -= 1;
  }

  /** Lets a slot be used again. */
  release(slot: number): void {
    this.#free.push(slot);
  }

  /** Undoes {@link release}. */
  unrelease(slot: number): void {
    const last = this.#free.pop();
    assert(last === slot, 'slots are taken back in reverse order');
  }
}

/** Schemas that have a count from the start; ids above make it grow. */
const SCHEMAS_FIRST = 64;
const PAGE_BITS = 12;
const PAGE_SLOTS: number = 1 << PAGE_BITS;
const PAGE_MASK: number = PAGE_SLOTS - 1;
