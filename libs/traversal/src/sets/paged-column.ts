/** A list of u32 that grows by pages: a long one is never copied. */
export class PagedColumn {
  readonly #pages: Uint32Array[] = [];
  length = 0;

  /** Bytes of its pages. */
  get bytes(): number {
    return this.#pages.length * PAGE_VALUES * 4;
  }

  push(value: number): void {
    if (this.length >>> PAGE_BITS === this.#pages.length) this.#pages.push(new Uint32Array(PAGE_VALUES));
    this.#pages[this.length >>> PAGE_BITS]![this.length & PAGE_MASK] = value;
    this.length += 1;
  }

  /** The value at an index below {@link length}. */
  at(index: number): number {
    return this.#pages[index >>> PAGE_BITS]![index & PAGE_MASK]!;
  }
}

const PAGE_BITS = 12;
const PAGE_VALUES: number = 1 << PAGE_BITS;
const PAGE_MASK: number = PAGE_VALUES - 1;
