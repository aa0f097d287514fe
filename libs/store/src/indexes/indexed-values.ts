import type { IndexDeclaration, OrderKeys } from '@niobe/cells';

/**
 * The values that one body has in an index: each once, in order. A null is none, and so is a NaN, which is in no order and equal to
 * nothing. Holds one body at a time; what it holds is valid as long as the body's bytes.
 */
export class IndexedValues {
  readonly order: OrderKeys;
  readonly #kind: IndexDeclaration['kind'];
  readonly #infinityByte: number;
  readonly #compareItems: (a: number, b: number) => number;
  /** By item of the body: its key, which for a hash index is its hash. */
  #itemKeys: Float64Array = new Float64Array(1);
  /** By rank: the item that has the value. */
  #items: Uint32Array = new Uint32Array(1);
  #count = 0;

  constructor(order: OrderKeys, kind: IndexDeclaration['kind']) {
    this.order = order;
    this.#kind = kind;
    this.#infinityByte = INFINITY_BYTES[order.path.field.declaration.type] ?? -1;
    this.#compareItems = (a, b) => this.#orderOf(a, this, b) || a - b;
  }

  /** Different values. */
  get count(): number {
    return this.#count;
  }

  /** Key of the value of this rank. */
  key(rank: number): number {
    return this.#itemKeys[this.#items[rank]!]!;
  }

  /** Which item of the body the value of this rank is. */
  item(rank: number): number {
    return this.#items[rank]!;
  }

  clear(): void {
    this.#count = 0;
  }

  collect(bytes: Uint8Array, at: number, length: number): void {
    const items = this.order.collect(bytes, at, length);
    if (items > this.#items.length) this.#items = new Uint32Array(items * 2);
    this.#itemKeys = this.#kind === 'hash' ? this.#hashes(items) : this.order.keys;
    let count = 0;
    for (let item = 0; item < items; item++) if (!this.#isNaN(item)) this.#items[count++] = item;
    this.#count = count;
    if (count > 1) this.#sort();
  }

  #hashes(items: number): Float64Array {
    const { order } = this;
    const keys = items > this.#itemKeys.length ? new Float64Array(items * 2) : this.#itemKeys;
    for (let item = 0; item < items; item++) {
      keys[item] = order.hashAt(order.source(item), order.starts[item]!, order.ends[item]!);
    }
    return keys;
  }

  /** The key of NaN is that of infinity. Every NaN is written as the same bytes. */
  #isNaN(item: number): boolean {
    if (this.#infinityByte < 0 || this.order.keys[item] !== Infinity) return false;
    return this.order.source(item)[this.order.ends[item]! - 2] !== this.#infinityByte;
  }

  #sort(): void {
    const items = this.#items;
    items.subarray(0, this.#count).sort(this.#compareItems);
    let count = 1;
    for (let rank = 1; rank < this.#count; rank++) {
      if (this.#orderOf(items[count - 1]!, this, items[rank]!) !== 0) items[count++] = items[rank]!;
    }
    this.#count = count;
  }

  /** Negative, zero or positive as the value of `rank` is below, equal to or above that of the other body's `otherRank`. */
  compare(rank: number, other: IndexedValues, otherRank: number): number {
    return this.#orderOf(this.#items[rank]!, other, other.#items[otherRank]!);
  }

  /** As {@link compare}, with a value in the encoding of the path's type. */
  compareBound(rank: number, { key, value }: { readonly key: number; readonly value: Uint8Array }): number {
    const item = this.#items[rank]!;
    const itemKey = this.#itemKeys[item]!;
    if (itemKey !== key) return itemKey < key ? -1 : 1;
    const { order } = this;
    return order.compare(order.source(item), order.starts[item]!, order.ends[item]!, value, 0, value.length);
  }

  #orderOf(item: number, other: IndexedValues, otherItem: number): number {
    const key = this.#itemKeys[item]!;
    const otherKey = other.#itemKeys[otherItem]!;
    if (key !== otherKey) return key < otherKey ? -1 : 1;
    if (this.#kind === 'hash') return 0;
    const a = this.order;
    const b = other.order;
    return a.compare(
      a.source(item),
      a.starts[item]!,
      a.ends[item]!,
      b.source(otherItem),
      b.starts[otherItem]!,
      b.ends[otherItem]!,
    );
  }
}

/** The last byte but one of infinity: that of NaN differs. */
const INFINITY_BYTES: Readonly<Record<string, number>> = { f32: 0x80, f64: 0xf0 };
