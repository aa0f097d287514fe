import { assert } from './assert.ts';

/** A first-in-first-out queue that refuses instead of growing, bounded in items and in bytes. Ring of slots: O(1) each way. */
export class BoundedQueue<T> {
  readonly #items: (T | undefined)[];
  readonly #sizes: Float64Array;
  readonly #maxBytes: number;
  #first = 0;
  #count = 0;
  #bytes = 0;

  constructor(maxItems: number, maxBytes: number = Number.MAX_SAFE_INTEGER) {
    assert(maxItems > 0, 'a queue holds at least one item');
    this.#items = Array.from<T | undefined>({ length: maxItems });
    this.#sizes = new Float64Array(maxItems);
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#count;
  }

  /** Sum of the sizes given to {@link push}. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the item, or says false and leaves the queue as it was. An item larger than the bound enters an empty queue only. */
  push(item: T, bytes = 0): boolean {
    if (this.#count === this.#items.length) return false;
    if (this.#count > 0 && this.#bytes + bytes > this.#maxBytes) return false;
    const at = (this.#first + this.#count) % this.#items.length;
    this.#items[at] = item;
    this.#sizes[at] = bytes;
    this.#count += 1;
    this.#bytes += bytes;
    return true;
  }

  peek(): T | undefined {
    return this.#count === 0 ? undefined : this.#items[this.#first];
  }

  shift(): T | undefined {
    if (this.#count === 0) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first] = undefined;
    this.#bytes -= this.#sizes[this.#first]!;
    this.#first = (this.#first + 1) % this.#items.length;
    this.#count -= 1;
    return item;
  }
}
