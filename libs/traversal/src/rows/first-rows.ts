import type { CompareRows, Row } from './row.ts';

/** The first `limit` rows of any number, in a heap with the last of them on top. O(log limit) a row that enters, O(1) for the others. */
export class FirstRows {
  readonly #limit: number;
  readonly #compare: CompareRows;
  readonly #heap: Row[] = [];

  constructor(limit: number, compare: CompareRows) {
    this.#limit = limit;
    this.#compare = compare;
  }

  get length(): number {
    return this.#heap.length;
  }

  /** Where rows are ordered by count: a row with less is not among the first. */
  get leastCount(): number {
    return this.#heap.length < this.#limit ? 0 : this.#heap[0]!.count;
  }

  /** Copies the row in where it is among the first so far. */
  offer(row: Row): void {
    if (this.#heap.length < this.#limit) return this.#rise(row.copy());
    if (this.#compare(row, this.#heap[0]!) >= 0) return;
    this.#sink(row.copy());
  }

  /** Takes out the last of the rows: called again and again it gives all of them in descending order. There must be one. */
  takeLast(): Row {
    const last = this.#heap[0]!;
    const moved = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(moved);
    return last;
  }

  /** Adds a row at the bottom. */
  #rise(row: Row): void {
    let at = this.#heap.push(row) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (this.#compare(row, this.#heap[parent]!) <= 0) break;
      this.#heap[at] = this.#heap[parent]!;
      at = parent;
    }
    this.#heap[at] = row;
  }

  /** Puts a row in place of the top. */
  #sink(row: Row): void {
    const heap = this.#heap;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#compare(heap[child + 1]!, heap[child]!) > 0) child += 1;
      if (this.#compare(row, heap[child]!) >= 0) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = row;
  }
}
