import { assert, NiobeError } from '@niobe/kernel';
import { STORE_FULL_RETRY_MS } from './limits.ts';
import { PAGE_BITS, PAGE_MASK, PAGE_SLOTS, type PagePool } from './page-pool.ts';
import { SlotQueue } from './slot-queue.ts';

// The engine makes numbers of a file's own constants, but loads and checks imported ones at each use.
const SHIFT: number = PAGE_BITS;
const MASK: number = PAGE_MASK;

/**
 * Slot to address of the slot's latest entry: its cell, or the tombstone it was deleted by; which of them, the entry says.
 *
 * 1. Slots lie on pages of the arena's pool; a directory leads from the number of a page to its base there. So the table grows without
 *    copying, and a snapshot is a copy of the directory.
 * 2. A page belongs to one schema: a scan walks over no others, and no slot says its schema. What is free is free for that schema.
 * 3. A page that a snapshot has is copied before it is written for the first time. {@link own} does that ahead and may fail; writing to a
 *    slot that is owned does not fail. No snapshot is taken while a batch is open, so what a batch owns stays its own.
 * 4. A freed slot waits in a queue and is reused oldest first with the next generation, which stands in its tombstone.
 */
export class SlotTable {
  readonly #pool: PagePool;
  readonly #pins: PagePins;
  /** The pool's words: what a base is an index into. */
  readonly words: Uint32Array;
  /** By page: its base, 0 where no slot of it is used. */
  #bases: Uint32Array = new Uint32Array(DIRECTORY_FIRST);
  /** By page: the schema it belongs to. */
  #schemaIds: Uint16Array = new Uint16Array(DIRECTORY_FIRST);
  #pages = 0;
  /** Pages below {@link #pages} that have no base. */
  readonly #holes: number[] = [];
  readonly #schemas: (SchemaSlots | undefined)[] = [];
  #used = 0;
  #cells = 0;

  constructor(pool: PagePool, pins: PagePins) {
    this.#pool = pool;
    this.#pins = pins;
    this.words = pool.words;
  }

  /** Every slot is below this; those that were never used have address 0. */
  get limit(): number {
    return this.#pages * PAGE_SLOTS;
  }

  /** Slots that were ever used. */
  get used(): number {
    return this.#used;
  }

  /** Slots that have a cell. */
  get cells(): number {
    return this.#cells;
  }

  /** Slots that have a cell of a schema. O(1). */
  cellsOf(schemaId: number): number {
    return this.#schemas[schemaId]?.cells ?? 0;
  }

  /** Free slots of a schema that wait to be reused. */
  freeOf(schemaId: number): number {
    return this.#schemas[schemaId]?.free.length ?? 0;
  }

  /** Bases by page, of which {@link pages} are used; another array once the table has grown. */
  get bases(): Uint32Array {
    return this.#bases;
  }

  /** Schema ids by page, as {@link bases}. */
  get schemaIds(): Uint16Array {
    return this.#schemaIds;
  }

  get pages(): number {
    return this.#pages;
  }

  /** Address of the latest entry, 0 for none. The slot must be below {@link limit}. */
  address(slot: number): number {
    return this.words[this.#bases[slot >>> SHIFT]! | (slot & MASK)]!;
  }

  /** Address of the latest entry of any slot below 2^32, 0 for none. */
  addressOrNone(slot: number): number {
    const bases = this.#bases;
    const page = slot >>> SHIFT;
    return page < bases.length ? this.words[bases[page]! | (slot & MASK)]! : 0;
  }

  /** The schema whose cells, or tombstones, the slot may have; 0 for none. */
  schemaId(slot: number): number {
    return this.#schemaIds[slot >>> SHIFT]!;
  }

  /** Makes sure that the slot can be written. Throws `STORE_FULL` and changes nothing. */
  own(slot: number): void {
    const base = this.#bases[slot >>> SHIFT]!;
    if (this.#pool.bornAt(base) < this.#pins.newest) this.#copyPage(slot >>> PAGE_BITS, base);
  }

  #copyPage(page: number, base: number): void {
    this.#bases[page] = this.#allot(() => this.#pool.copy(base, this.#pins.now));
    this.#pins.dropPage(base);
  }

  /** Asks for a page, of snapshots too if there is no other. */
  #allot(ask: () => number): number {
    for (let base = ask(); ; base = ask()) {
      if (base > 0) return base;
      if (this.#pins.givePages()) continue;
      throw new NiobeError('STORE_FULL', `all ${this.#pool.pages} pages of slots are in use; try again later`, {
        retryAfterMs: STORE_FULL_RETRY_MS,
      });
    }
  }

  /** Points an owned slot to another entry of the same kind. */
  move(slot: number, address: number): void {
    this.words[this.#bases[slot >>> SHIFT]! | (slot & MASK)] = address;
  }

  /** Points an owned slot that had no cell to one. */
  fill(slot: number, address: number): void {
    this.move(slot, address);
    this.#countCell(slot, 1);
  }

  /** Points an owned slot that had a cell to its tombstone, or to nothing. */
  empty(slot: number, address: number): void {
    this.move(slot, address);
    this.#countCell(slot, -1);
  }

  #countCell(slot: number, change: number): void {
    this.#slotsOf(this.schemaId(slot)).cells += change;
    this.#cells += change;
  }

  #slotsOf(schemaId: number): SchemaSlots {
    return (this.#schemas[schemaId] ??= { free: new SlotQueue(), nextFresh: 0, cells: 0 });
  }

  /** True if the next slot taken for a schema is one that was never used. */
  nextIsFresh(schemaId: number): boolean {
    return this.freeOf(schemaId) === 0;
  }

  /** The oldest free slot of a schema, or one that was never used; owned. Throws `STORE_FULL` and changes nothing. */
  take(schemaId: number): number {
    const slots = this.#slotsOf(schemaId);
    if (slots.free.length === 0) return this.#takeFresh(schemaId, slots);
    const slot = slots.free.shift();
    try {
      this.own(slot);
    } catch (error) {
      slots.free.unshift(slot);
      throw error;
    }
    return slot;
  }

  #takeFresh(schemaId: number, slots: SchemaSlots): number {
    const slot = (slots.nextFresh & PAGE_MASK) === 0 ? this.#addPage(schemaId) * PAGE_SLOTS : slots.nextFresh;
    this.own(slot);
    slots.nextFresh = slot + 1;
    this.#used += 1;
    return slot;
  }

  #addPage(schemaId: number): number {
    const base = this.#allot(() => this.#pool.take(this.#pins.now));
    const page = this.#holes.pop() ?? this.#pages;
    this.#setPage(page, base, schemaId);
    return page;
  }

  #setPage(page: number, base: number, schemaId: number): void {
    if (page >= this.#bases.length) this.#growDirectory(page);
    this.#pages = Math.max(this.#pages, page + 1);
    this.#bases[page] = base;
    this.#schemaIds[page] = schemaId;
  }

  #growDirectory(page: number): void {
    const length = Math.max(page + 1, this.#bases.length * 2);
    const bases = new Uint32Array(length);
    const schemaIds = new Uint16Array(length);
    bases.set(this.#bases);
    schemaIds.set(this.#schemaIds);
    this.#bases = bases;
    this.#schemaIds = schemaIds;
  }

  /**
   * Makes sure that the page of a slot exists, for recovery, and returns the schema it belongs to: another than `schemaId` where it did
   * before. Throws `STORE_FULL`.
   */
  claim(slot: number, schemaId: number): number {
    const page = slot >>> PAGE_BITS;
    if (page < this.#pages && this.#bases[page] !== 0) return this.#schemaIds[page]!;
    this.#setPage(
      page,
      this.#allot(() => this.#pool.take(this.#pins.now)),
      schemaId,
    );
    this.#used += PAGE_SLOTS;
    return schemaId;
  }

  /** Visits every slot that is used, for recovery, and notes pages and slots that are not. */
  afterRecovery(visit: (slot: number) => void): void {
    for (let page = 0; page < this.#pages; page++) {
      if (this.#bases[page] === 0) {
        this.#holes.push(page);
        continue;
      }
      const freshAt = this.#freshAt(page);
      for (let slot = page * PAGE_SLOTS; slot < freshAt; slot++) visit(slot);
      this.#keepFresh(page, freshAt);
    }
  }

  /** The slot behind the last of a page that has an entry. */
  #freshAt(page: number): number {
    let slot = (page + 1) * PAGE_SLOTS;
    while (slot > page * PAGE_SLOTS && this.address(slot - 1) === 0) slot--;
    return slot;
  }

  /** One page of a schema is filled further; slots at the end of any other are free, and so used. */
  #keepFresh(page: number, freshAt: number): void {
    const end = (page + 1) * PAGE_SLOTS;
    const slots = this.#slotsOf(this.#schemaIds[page]!);
    if ((slots.nextFresh & PAGE_MASK) === 0 && freshAt < end) {
      slots.nextFresh = freshAt;
      this.#used -= end - freshAt;
    } else {
      for (let slot = freshAt; slot < end; slot++) slots.free.push(slot);
    }
  }

  /** Undoes {@link take}. */
  untake(slot: number, wasFresh: boolean): void {
    const slots = this.#slotsOf(this.schemaId(slot));
    if (!wasFresh) {
      slots.free.unshift(slot);
      return;
    }
    assert(((slots.nextFresh - 1) & PAGE_MASK) === (slot & PAGE_MASK), 'slots are put back in reverse order');
    slots.nextFresh = slot;
    this.#used -= 1;
    if ((slot & PAGE_MASK) === 0) this.#removePage(slot >>> PAGE_BITS);
  }

  #removePage(page: number): void {
    this.#pins.dropPage(this.#bases[page]!);
    this.#bases[page] = 0;
    this.#schemaIds[page] = 0;
    this.#holes.push(page);
  }

  /** Lets a slot be used again. */
  release(slot: number): void {
    this.#slotsOf(this.schemaId(slot)).free.push(slot);
  }

  /** Undoes {@link release}. */
  unrelease(slot: number): void {
    const last = this.#slotsOf(this.schemaId(slot)).free.pop();
    assert(last === slot, 'slots are taken back in reverse order');
  }

  /** Gives all pages back. The table is not to be used afterwards. */
  close(): void {
    for (let page = 0; page < this.#pages; page++) if (this.#bases[page] !== 0) this.#pins.dropPage(this.#bases[page]!);
    this.#pages = 0;
  }
}

/** What keeps pages from being written or freed. */
export interface PagePins {
  /** The present moment; see `Pins`. */
  readonly now: number;
  /** Pages born before it are copied before they are written. */
  readonly newest: number;
  /** Takes a page that the table no longer has. */
  dropPage(base: number): void;
  /** Tries to make pages free; true if it is worth to ask for one again. */
  givePages(): boolean;
}

/** The slots of one schema. */
interface SchemaSlots {
  readonly free: SlotQueue;
  /** The next slot that was never used, unless it is the first of a page: then a page is needed. */
  nextFresh: number;
  cells: number;
}

/** A directory has room for this many pages from the start. */
const DIRECTORY_FIRST = 16;
