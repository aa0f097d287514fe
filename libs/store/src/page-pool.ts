import { assert } from '@niobe/kernel';
import { HEADER_BYTES } from './entry.ts';

/**
 * Pages of one size in one block of shared memory, so that threads can read them: what the slot tables and snapshots of an arena are made
 * of, and in another pool its key indexes.
 *
 * 1. A page is 1,024 words, in a slot table one for each slot: 4 KiB, as a page of the OS. It is named by its **base**, the index of its
 *    first word.
 * 2. Page 0 is never handed out and holds zeros for ever: a directory that points there has slots without entries.
 * 3. Memory is sized so that whatever an arena can hold finds room; the OS commits a page when it is first touched. Pages that came back
 *    are handed out first.
 */
export class PagePool {
  /** All pages, as others may be told of them. */
  readonly memory: SharedArrayBuffer;
  readonly words: Uint32Array;
  /** Pages there are, page 0 included. */
  readonly pages: number;
  /** By page: the time it was taken at, in the count of its table's snapshots. */
  readonly #bornAt: Uint32Array;
  readonly #returned: Uint32Array;
  #returnedCount = 0;
  /** Pages from here on were never handed out. */
  #untouched = 1;

  /** @param firstByte where the first page begins in the memory */
  constructor(pages: number, firstByte = 0) {
    assert(pages > 1 && pages * PAGE_SLOTS <= WORDS_MAX, 'a base fits 31 bits');
    this.pages = pages;
    this.memory = new SharedArrayBuffer(firstByte + pages * PAGE_BYTES);
    this.words = new Uint32Array(this.memory, firstByte);
    this.#bornAt = new Uint32Array(pages);
    this.#returned = new Uint32Array(pages);
  }

  /** Pages that are handed out. */
  get takenPages(): number {
    return this.#untouched - 1 - this.#returnedCount;
  }

  /** Base of a page of zeros, or -1 where there is none. */
  take(bornAt: number): number {
    const isReturned = this.#returnedCount > 0;
    const base = this.#next(bornAt);
    if (isReturned) this.words.fill(0, base, base + PAGE_SLOTS);
    return base;
  }

  /** Base of a page that holds what the page at `base` does, or -1 where there is none. */
  copy(base: number, bornAt: number): number {
    const to = this.#next(bornAt);
    if (to > 0) this.words.copyWithin(to, base, base + PAGE_SLOTS);
    return to;
  }

  #next(bornAt: number): number {
    if (this.#returnedCount === 0 && this.#untouched === this.pages) return -1;
    const page = this.#returnedCount > 0 ? this.#returned[--this.#returnedCount]! : this.#untouched++;
    this.#bornAt[page] = bornAt;
    return page << PAGE_BITS;
  }

  /** When the page was taken. */
  bornAt(base: number): number {
    return this.#bornAt[base >>> PAGE_BITS]!;
  }

  /** Gives a page back that nobody reads any more. */
  give(base: number): void {
    assert(base > 0 && this.takenPages > 0, 'a page is given back once');
    this.#returned[this.#returnedCount++] = base >>> PAGE_BITS;
  }
}

/** Pages that have room for a slot of every entry an arena can hold, with many schemas and partitions that fill their last one in part. */
export function pagesFor(capacityBytes: number): number {
  return Math.ceil(capacityBytes / HEADER_BYTES / PAGE_SLOTS) + PARTLY_FILLED_PAGES;
}

/**
 * A page of 4 KiB is copied in about a microsecond, and a snapshot of 10^7 slots copies a directory of 60 KB. Pages four times as large
 * cost the same where writes are spread evenly, and more where they are not or where many schemas and partitions fill their last one.
 */
export const PAGE_BITS = 10;
export const PAGE_SLOTS: number = 1 << PAGE_BITS;
export const PAGE_MASK: number = PAGE_SLOTS - 1;
const PAGE_BYTES: number = PAGE_SLOTS * Uint32Array.BYTES_PER_ELEMENT;
const WORDS_MAX: number = 2 ** 31;
/** 16 MiB, which are not committed before they are touched. */
const PARTLY_FILLED_PAGES = 4096;
