import { FLAG, GRAIN_SHIFT, headerBytesOf, BODY_BITS, KIND, seqOf, START_BYTES, WORD_BYTES } from '../entry.ts';
import type { Parts } from '../parts.ts';
import type { Segment } from '../segment.ts';
import { PAGE_BITS, PAGE_MASK } from '../slot-pool.ts';

/**
 * A segment on its way out: gives what lives in it in the order of the log, through a window of so many entries.
 *
 * The window is filled in one loop that decides nothing by what the slot table says, so that the memory accesses of many entries overlap
 * (a branch on each would wait for each). What is given was live when the window was filled and may have died since.
 */
export class Victim {
  readonly segment: Segment;
  readonly #parts: Parts;
  readonly #addresses: Uint32Array = new Uint32Array(WINDOW_ENTRIES);
  readonly #seqs: Float64Array = new Float64Array(WINDOW_ENTRIES);
  #next = 0;
  #count = 0;
  /** Address of the first entry that was not looked at. */
  #at: number;
  /** Version of the next entry, as its seq; Infinity where there is none left. */
  nextSeq: number = Infinity;

  constructor(parts: Parts, segment: Segment) {
    this.#parts = parts;
    this.segment = segment;
    this.#at = segment.startAddress + START_BYTES / WORD_BYTES;
    this.#fill();
  }

  /** Address of the entry that {@link nextSeq} is of. */
  get nextAddress(): number {
    return this.#addresses[this.#next]!;
  }

  /** Goes on to the next entry. */
  advance(): void {
    this.#next += 1;
    if (this.#next < this.#count) this.nextSeq = this.#seqs[this.#next]!;
    else this.#fill();
  }

  #fill(): void {
    const end = this.segment.endAddress;
    this.#next = 0;
    this.#count = 0;
    while (this.#count === 0 && this.#at < end) this.#look(end);
    this.nextSeq = this.#count === 0 ? Infinity : this.#seqs[0]!;
  }

  /** Looks at a window's worth of entries and keeps those that live. */
  #look(end: number): void {
    const { arena, slots } = this.#parts;
    const { words, bases } = arena;
    const { words: table, bases: pages } = slots;
    const addresses = this.#addresses;
    const seqs = this.#seqs;
    let count = 0;
    let at = this.#at;
    for (let entries = 0; entries < WINDOW_ENTRIES && at < end; entries++) {
      const first = words[at]!;
      const slot = words[at + 1]!;
      const lengths = words[at + 2]!;
      addresses[count] = at;
      seqs[count] = seqOf(words[at + 3]!, (first & FLAG.wide) === 0 ? bases[at >>> GRAIN_SHIFT]! : words[at + 4]!);
      if (hasSlot(first)) count += isZero(table[pages[slot >>> PAGE_BITS]! | (slot & PAGE_MASK)]! ^ at);
      else if ((first & KIND_MASK) === KIND.schema) count += 1;
      at += (headerBytesOf(first) + (lengths >>> BODY_BITS) + (lengths & BODY_MASK) + 3) >>> 2;
    }
    this.#at = at;
    this.#count = count;
  }
}

/** True for cells and tombstones, by their word 0. */
function hasSlot(first: number): boolean {
  return (first & KIND_MASK) === KIND.cell || (first & KIND_MASK) === KIND.tombstone;
}

/** 1 for 0, 0 for any other i32, without a branch. */
function isZero(value: number): number {
  return ((value | -value) >>> 31) ^ 1;
}

/** Entries looked at together: with four victims they and their cells stay in the caches of a core. */
const WINDOW_ENTRIES = 512;
const KIND_MASK = 0x0f;
const BODY_MASK = (1 << BODY_BITS) - 1;
