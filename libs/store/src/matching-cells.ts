import type { EntryForm, EntrySelection, Predicate } from '@niobe/cells';
import { RUN_CELLS } from './body-columns.ts';
import { BODY_BITS, bodyBytesAt, bodyStartAt, FLAG, HEADER_BYTES, KIND } from './entry.ts';

/** Cells whose header has no optional words: nearly all of them. Their bodies are tested in the pass that finds them. */
const PLAIN_CELL: EntryForm = {
  kindMask: 0x0f | FLAG.wide | FLAG.expires,
  kind: KIND.cell,
  headerBytes: HEADER_BYTES,
  lengthsWord: 2,
  bodyBits: BODY_BITS,
};

/** Where slots lead to. */
export interface SlotMemory {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Addresses of entries, by place in the pool of pages. */
  readonly addresses: Uint32Array;
}

/** Finds the cells that match a predicate, a run of slots at a time. */
export class MatchingCells {
  /** The slots of the run that match, the lowest first, after {@link find}. */
  readonly slots: Uint32Array = new Uint32Array(RUN_CELLS);
  readonly #memory: SlotMemory;
  readonly #select: EntrySelection | null;
  readonly #isOther: (address: number) => boolean;
  readonly #isCell: (address: number) => boolean;

  /** @param isCell true for entries that are cells and not expired */
  constructor(memory: SlotMemory, predicate: Predicate | null, isCell: (address: number) => boolean) {
    const { bytes, words } = memory;
    this.#memory = memory;
    this.#select = predicate === null ? null : predicate.selectIn(PLAIN_CELL);
    this.#isCell = isCell;
    this.#isOther = (address) =>
      isCell(address) && predicate!(bytes, bodyStartAt(words, address), bodyBytesAt(words, address));
  }

  /**
   * Writes {@link slots} and returns how many there are.
   *
   * @param place of slot `from` in the pool; slots `from` to `to` (exclusive), at most `RUN_CELLS`, are on one page
   */
  find(place: number, from: number, to: number): number {
    const { bytes, words, addresses } = this.#memory;
    if (this.#select === null) return this.#findAll(place, from, to);
    const count = this.#select(bytes, words, addresses, place, place + to - from, this.slots, this.#isOther);
    for (let i = 0; i < count; i++) this.slots[i] = this.slots[i]! - place + from;
    return count;
  }

  #findAll(place: number, from: number, to: number): number {
    let count = 0;
    for (let slot = from; slot < to; slot++)
      if (this.#isCell(this.#memory.addresses[place + slot - from]!)) this.slots[count++] = slot;
    return count;
  }
}
