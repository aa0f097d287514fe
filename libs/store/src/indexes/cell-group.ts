import { BODY_BITS, FLAG, HEADER_BYTES, KIND, WORD_BYTES } from '../entry.ts';
import type { MatchingCells } from '../matching-cells.ts';
import { PAGE_BITS, PAGE_MASK } from '../page-pool.ts';
import type { SlotTable } from '../slot-table.ts';

/** Cells of a group: their headers stay in the first cache from one step to the next. */
export const GROUP_CELLS = 256;

/**
 * Finds the cells of slots that lie anywhere, a group at a time. Each step is a loop over the group of a few instructions for a slot: so
 * the processor waits for many misses of the cache at once. A loop that did two of the steps would have fewer slots under way.
 */
export class CellGroup {
  /** Slots of the group; whoever has them writes them here, or by {@link take}. */
  readonly slots: Uint32Array = new Uint32Array(GROUP_CELLS);
  /** By place in the group: where the entry of the slot is, after {@link locate}. */
  readonly addresses: Uint32Array = new Uint32Array(GROUP_CELLS);
  /** By place in the group: the first word of that entry. */
  readonly #heads = new Uint32Array(GROUP_CELLS);
  /** By place in the group: the word with the lengths of key and body. */
  readonly #lengths = new Uint32Array(GROUP_CELLS);
  /** Words that are read ahead, to have their lines in the cache. */
  readonly #ahead = new Uint32Array(GROUP_CELLS);
  readonly #words: Uint32Array;
  readonly #table: SlotTable;

  constructor(words: Uint32Array, table: SlotTable) {
    this.#words = words;
    this.#table = table;
  }

  /** Makes `count` of some slots, from place `first` on, those of the group. */
  take(slots: Uint32Array, first: number, count: number): void {
    for (let i = 0; i < count; i++) this.slots[i] = slots[first + i]!;
  }

  /** Finds the entries of the first `count` slots. */
  locate(count: number): void {
    const { words: pool, bases } = this.#table;
    readAddresses(this.slots, count, pool, bases, this.addresses);
    readWords(this.#words, this.addresses, count, this.#heads);
  }

  /** Keeps the cells among the first `count`, which must be located, and returns how many. `isLive` is asked of those that expire. */
  keepLive(count: number, isLive: (address: number) => boolean): number {
    const { slots, addresses } = this;
    const heads = this.#heads;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const address = addresses[i]!;
      if ((heads[i]! & KIND_OR_EXPIRES) !== LASTING_CELL && !isLive(address)) continue;
      slots[kept] = slots[i]!;
      addresses[kept] = address;
      kept += 1;
    }
    return kept;
  }

  /** As {@link keepLive}, those of the cells that match; `matching` is one over {@link addresses}. */
  keepMatching(count: number, matching: MatchingCells): number {
    readBodies(this.#words, this.addresses, count, this.#ahead);
    const { slots, addresses } = this;
    const kept = matching.find(0, 0, count);
    for (let i = 0; i < kept; i++) {
      const place = matching.slots[i]!;
      slots[i] = slots[place]!;
      addresses[i] = addresses[place]!;
    }
    return kept;
  }

  /** Reads how long the first `count` cells are, for {@link cellBytes}. */
  measure(count: number): void {
    readLengths(this.#words, this.addresses, count, this.#lengths);
  }

  /** Bytes of key and body of a cell of the group, after {@link measure}. */
  cellBytes(place: number): number {
    const lengths = this.#lengths[place]!;
    return (lengths >>> BODY_SHIFT) + (lengths & BODY_MASK);
  }
}

/** Constants of this file are part of the code that is compiled; those of others are read each time. */
const SLOT_BITS = PAGE_BITS;
const SLOT_MASK = PAGE_MASK;
const HEADER_WORDS = HEADER_BYTES / WORD_BYTES;
const LENGTHS_WORD = 2;
const BODY_SHIFT = BODY_BITS;
const BODY_MASK = (1 << BODY_BITS) - 1;
/** Leaves of the lengths the whole words of the key. */
const KEY_WORDS_SHIFT = BODY_BITS + 2;
const KIND_OR_EXPIRES = 0x0f | FLAG.expires;
const LASTING_CELL = KIND.cell;

function readAddresses(
  slots: Uint32Array,
  count: number,
  pool: Uint32Array,
  bases: Uint32Array,
  addresses: Uint32Array,
): void {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    addresses[i] = pool[bases[slot >>> SLOT_BITS]! | (slot & SLOT_MASK)]!;
  }
}

function readWords(words: Uint32Array, addresses: Uint32Array, count: number, to: Uint32Array): void {
  for (let i = 0; i < count; i++) to[i] = words[addresses[i]!]!;
}

function readLengths(words: Uint32Array, addresses: Uint32Array, count: number, to: Uint32Array): void {
  for (let i = 0; i < count; i++) to[i] = words[addresses[i]! + LENGTHS_WORD]!;
}

/** Reads the word in which each body begins. */
function readBodies(words: Uint32Array, addresses: Uint32Array, count: number, to: Uint32Array): void {
  for (let i = 0; i < count; i++) {
    const address = addresses[i]!;
    to[i] = words[address + HEADER_WORDS + (words[address + LENGTHS_WORD]! >>> KEY_WORDS_SHIFT)]!;
  }
}
