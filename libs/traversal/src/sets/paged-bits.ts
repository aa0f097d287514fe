/** A set of slots, one bit each, in pages that are made when a slot of theirs is added: a search that touches little stays small. */
export class PagedBits {
  readonly #pages: (Uint32Array | undefined)[] = [];
  #bytes = 0;

  /** Bytes of its pages. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a slot; false where it was there. O(1). */
  add(slot: number): boolean {
    const page = this.#pages[slot >>> PAGE_BITS] ?? this.#grow(slot >>> PAGE_BITS);
    const word = (slot >>> 5) & WORD_MASK;
    const bit = 1 << (slot & 31);
    const before = page[word]!;
    if ((before & bit) !== 0) return false;
    page[word] = before | bit;
    return true;
  }

  #grow(index: number): Uint32Array {
    while (this.#pages.length <= index) this.#pages.push(undefined);
    const page = new Uint32Array(PAGE_WORDS);
    this.#pages[index] = page;
    this.#bytes += PAGE_WORDS * 4;
    return page;
  }
}

/** Slots of a page, as a power of two: a page is 1 KiB. */
const PAGE_BITS = 13;
const PAGE_WORDS: number = 1 << (PAGE_BITS - 5);
const WORD_MASK: number = PAGE_WORDS - 1;
