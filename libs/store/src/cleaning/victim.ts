import { FLAG, GRAIN_SHIFT, headerBytesOf, BODY_BITS, KIND, seqOf, START_BYTES, WORD_BYTES } from '../entry.ts';
import type { Parts } from '../parts.ts';
import type { Segment } from '../segment.ts';
import { PAGE_BITS, PAGE_MASK } from '../page-pool.ts';

/**
 * A segment on its way out: gives what lives in it in the order of the log, through a window of so many entries.
 *
 * The slots of a window are read in one loop that decides nothing by what they say, so that many reads of scattered memory overlap (a
 * branch on each would wait for each). What is given was live when the window was filled and may have died since.
 */
export class Victim {
  readonly segment: Segment;
  readonly #parts: Parts;
  readonly #addresses: Uint32Array = new Uint32Array(WINDOW_ENTRIES);
  readonly #slots: Uint32Array = new Uint32Array(WINDOW_ENTRIES);
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
    const { words, bases } = this.#parts.arena;
    let count = 0;
    let at = this.#at;
    for (let entries = 0; entries < WINDOW_ENTRIES && at < end; entries++) {
      const first = words[at]!;
      const lengths = words[at + 2]!;
      this.#addresses[count] = at;
      this.#slots[count] = words[at + 1]!;
      this.#seqs[count] = seqOf(
        words[at + 3]!,
        (first & FLAG.wide) === 0 ? bases[at >>> GRAIN_SHIFT]! : words[at + 4]!,
      );
      if (hasSlot(first)) count += 1;
      else if ((first & KIND_MASK) === KIND.schema) this.#slots[count++] = NO_SLOT;
      at += (headerBytesOf(first) + (lengths >>> BODY_BITS) + (lengths & BODY_MASK) + 3) >>> 2;
    }
    this.#at = at;
    this.#count = this.#keepLive(count);
  }

  /** Closes the gaps that dead entries leave, without a branch: the reads of the slot table overlap. Returns how many live. */
  #keepLive(entries: number): number {
    const { words: table, bases: pages } = this.#parts.slots;
    let count = 0;
    for (let i = 0; i < entries; i++) {
      const slot = this.#slots[i]!;
      const address = this.#addresses[i]!;
      this.#addresses[count] = address;
      this.#seqs[count] = this.#seqs[i]!;
      if (slot === NO_SLOT) count += 1;
      else count += isZero(table[pages[slot >>> PAGE_BITS]! | (slot & PAGE_MASK)]! ^ address);
    }
    return count;
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
/** In the place of a slot: definitions of schemas have none; whether they live is asked when they are moved. */
const NO_SLOT = 0xffff_ffff;
const KIND_MASK = 0x0f;
const BODY_MASK = (1 << BODY_BITS) - 1;
