/**
 * Nodes of an entry tree: up to {@link NODE_ENTRIES} entries each, in columns outside the JavaScript heap. An entry has a key and a slot,
 * where asked for a number that says which item of the cell it is, and in inner nodes a child.
 *
 * Nodes lie in chunks of 512, so that a tree of any size is some hundred arrays and growing a large one copies nothing. Only the first
 * chunk begins with one node and doubles, because most indexes of most partitions are small; the last doubling copies 400 KiB. A node
 * that was given back is the next to be taken.
 */
export class NodePool {
  readonly #hasItems: boolean;
  readonly #hasChildren: boolean;
  readonly #chunks: NodeChunk[] = [];
  readonly #given: number[] = [];
  #used = 0;

  constructor(hasItems: boolean, hasChildren: boolean) {
    this.#hasItems = hasItems;
    this.#hasChildren = hasChildren;
  }

  /** Bytes of all chunks. O(chunks). */
  get memoryBytes(): number {
    return this.#chunks.reduce(
      (sum, { keys, slots, numbers }) => sum + keys.byteLength + slots.byteLength * numbers.length,
      0,
    );
  }

  /** An empty node. */
  take(): number {
    const node = this.#given.pop() ?? this.#append();
    this.#setCount(node, 0);
    this.#chunks[node >>> CHUNK_BITS]!.tails[node & CHUNK_MASK] = 0;
    return node;
  }

  #append(): number {
    const node = this.#used;
    const chunk = this.#chunks[node >>> CHUNK_BITS];
    if (chunk === undefined) this.#chunks.push(this.#newChunk(node === 0 ? 1 : CHUNK_NODES));
    else if ((node & CHUNK_MASK) === chunk.counts.length) this.#chunks[node >>> CHUNK_BITS] = this.#doubled(chunk);
    this.#used += 1;
    return node;
  }

  #newChunk(nodes: number): NodeChunk {
    const entries = nodes * NODE_ENTRIES;
    const slots = new Uint32Array(entries);
    const items = new Uint32Array(this.#hasItems ? entries : 0);
    const children = new Uint32Array(this.#hasChildren ? entries : 0);
    const numbers = [slots, items, children].filter((column) => column.length > 0);
    const counts = new Uint16Array(nodes);
    return { keys: new Float64Array(entries), slots, items, children, numbers, counts, tails: new Uint8Array(nodes) };
  }

  #doubled(chunk: NodeChunk): NodeChunk {
    const grown = this.#newChunk(chunk.counts.length * 2);
    grown.keys.set(chunk.keys);
    for (const [i, column] of chunk.numbers.entries()) grown.numbers[i]!.set(column);
    grown.counts.set(chunk.counts);
    grown.tails.set(chunk.tails);
    return grown;
  }

  give(node: number): void {
    this.#given.push(node);
  }

  /** Gives back all nodes and their memory. */
  clear(): void {
    this.#chunks.length = 0;
    this.#given.length = 0;
    this.#used = 0;
  }

  /** Entries of a node. */
  count(node: number): number {
    return this.#chunks[node >>> CHUNK_BITS]!.counts[node & CHUNK_MASK]!;
  }

  #setCount(node: number, count: number): void {
    this.#chunks[node >>> CHUNK_BITS]!.counts[node & CHUNK_MASK] = count;
  }

  isFull(node: number): boolean {
    return this.count(node) === NODE_ENTRIES;
  }

  key(node: number, place: number): number {
    return this.#chunks[node >>> CHUNK_BITS]!.keys[firstOf(node) + place]!;
  }

  slot(node: number, place: number): number {
    return this.#chunks[node >>> CHUNK_BITS]!.slots[firstOf(node) + place]!;
  }

  /** Which item of the cell an entry is; 0 where the pool does not keep it. */
  item(node: number, place: number): number {
    return this.#hasItems ? this.#chunks[node >>> CHUNK_BITS]!.items[firstOf(node) + place]! : 0;
  }

  /** The child of an entry of an inner node. */
  child(node: number, place: number): number {
    return this.#chunks[node >>> CHUNK_BITS]!.children[firstOf(node) + place]!;
  }

  /** The child of an inner node to which an entry belongs whose key is its value; -1 if it is below all. O(log entries). */
  childOf(node: number, key: number, slot: number): number {
    const { keys, slots, children, counts } = this.#chunks[node >>> CHUNK_BITS]!;
    const first = firstOf(node);
    let low = first;
    for (let high = first + counts[node & CHUNK_MASK]!; low < high;) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key || (keys[middle] === key && slots[middle]! <= slot)) low = middle + 1;
      else high = middle;
    }
    return low === first ? -1 : children[low - 1]!;
  }

  /** Number of entries below (`key`, `slot`): by key, then by what `ties` says of the values, then by slot. O(log entries). */
  countBelow(node: number, key: number, slot: number, ties: Ties | null): number {
    const { keys, counts } = this.#chunks[node >>> CHUNK_BITS]!;
    const first = firstOf(node);
    const end = first + counts[node & CHUNK_MASK]!;
    let low = first;
    // Most keys occur once, so the search by key alone is a loop of its own.
    for (let high = end; low < high;) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    const below = low - first;
    return low === end || keys[low] !== key ? below : below + this.#countTies(node, below, key, slot, ties);
  }

  /** Number of entries from `place` on that have the key and are below the value and slot that are looked for. */
  #countTies(node: number, place: number, key: number, slot: number, ties: Ties | null): number {
    const { keys, slots, counts } = this.#chunks[node >>> CHUNK_BITS]!;
    const first = firstOf(node) + place;
    let low = first;
    for (let high = firstOf(node) + counts[node & CHUNK_MASK]!; low < high;) {
      const middle = (low + high) >>> 1;
      const other = slots[middle]!;
      let isBelow = false;
      if (keys[middle] === key) {
        const order = ties === null ? 0 : ties.compare(other, this.item(node, middle - firstOf(node)));
        isBelow = order === 0 ? other < slot : order < 0;
      }
      if (isBelow) low = middle + 1;
      else high = middle;
    }
    return low - first;
  }

  /** Writes the slots of `count` entries from `place` on to `slots`, from `at` on. */
  copySlots(node: number, place: number, count: number, slots: Uint32Array, at: number): void {
    const from = this.#chunks[node >>> CHUNK_BITS]!.slots;
    const first = firstOf(node) + place;
    for (let i = 0; i < count; i++) slots[at + i] = from[first + i]!;
  }

  /** As {@link copySlots}, the last of the entries first. */
  copySlotsBack(node: number, place: number, count: number, slots: Uint32Array, at: number): void {
    const from = this.#chunks[node >>> CHUNK_BITS]!.slots;
    const last = firstOf(node) + place + count - 1;
    for (let i = 0; i < count; i++) slots[at + i] = from[last - i]!;
  }

  /** Makes an entry the same as one of another pool, but for its child. */
  copy(node: number, place: number, from: NodePool, fromNode: number, fromPlace: number): void {
    const chunk = this.#chunks[node >>> CHUNK_BITS]!;
    const at = firstOf(node) + place;
    chunk.keys[at] = from.key(fromNode, fromPlace);
    chunk.slots[at] = from.slot(fromNode, fromPlace);
    if (this.#hasItems) chunk.items[at] = from.item(fromNode, fromPlace);
  }

  /**
   * Puts an entry behind all others, out of order, unless the node is full; true if it did. Its key must be its value. Writes to three
   * lines of memory and waits for none. Not where entries have items.
   */
  append(node: number, key: number, slot: number): boolean {
    const { keys, slots, counts, tails } = this.#chunks[node >>> CHUNK_BITS]!;
    const count = counts[node & CHUNK_MASK]!;
    if (count === ENTRIES) return false;
    const at = firstOf(node) + count;
    keys[at] = key;
    slots[at] = slot;
    counts[node & CHUNK_MASK] = count + 1;
    tails[node & CHUNK_MASK]! += 1;
    return true;
  }

  /** Puts the entries of a node in order, if some were appended. O(appended^2 + entries). */
  order(node: number): void {
    const { keys, slots, counts, tails } = this.#chunks[node >>> CHUNK_BITS]!;
    const tail = tails[node & CHUNK_MASK]!;
    if (tail === 0) return;
    tails[node & CHUNK_MASK] = 0;
    const first = firstOf(node);
    const end = first + counts[node & CHUNK_MASK]!;
    sortEntries(keys, slots, end - tail, end);
    mergeEntries(keys, slots, first, end - tail, end);
  }

  /** Puts an entry before the one at `place`. The node must not be full. */
  insert(node: number, place: number, key: number, slot: number, item: number, child: number): void {
    const { keys, slots, items, children, counts } = this.#chunks[node >>> CHUNK_BITS]!;
    const at = firstOf(node) + place;
    const end = firstOf(node) + counts[node & CHUNK_MASK]!;
    // Some thirty entries are moved: a loop is done before a call of copyWithin has begun.
    for (let i = end; i > at; i--) {
      keys[i] = keys[i - 1]!;
      slots[i] = slots[i - 1]!;
    }
    keys[at] = key;
    slots[at] = slot;
    if (this.#hasItems) insertNumber(items, at, end, item);
    if (this.#hasChildren) insertNumber(children, at, end, child);
    counts[node & CHUNK_MASK]! += 1;
  }

  remove(node: number, place: number): void {
    const { keys, slots, items, children, counts } = this.#chunks[node >>> CHUNK_BITS]!;
    const at = firstOf(node) + place;
    const end = firstOf(node) + counts[node & CHUNK_MASK]!;
    for (let i = at + 1; i < end; i++) {
      keys[i - 1] = keys[i]!;
      slots[i - 1] = slots[i]!;
    }
    if (this.#hasItems) items.copyWithin(at, at + 1, end);
    if (this.#hasChildren) children.copyWithin(at, at + 1, end);
    counts[node & CHUNK_MASK]! -= 1;
  }

  /** Moves the entries from `place` on behind those of another node, which must have room for them. */
  moveTail(node: number, place: number, to: number): void {
    const from = this.#chunks[node >>> CHUNK_BITS]!;
    const target = this.#chunks[to >>> CHUNK_BITS]!;
    const start = firstOf(node) + place;
    const end = firstOf(node) + this.count(node);
    const at = firstOf(to) + this.count(to);
    target.keys.set(from.keys.subarray(start, end), at);
    for (const [i, column] of from.numbers.entries()) target.numbers[i]!.set(column.subarray(start, end), at);
    this.#setCount(to, this.count(to) + end - start);
    this.#setCount(node, place);
  }
}

/** Tells the order of entries whose keys are equal though their values may not be. */
export interface Ties {
  /** True where entries of the key that is looked for have all the same value. */
  readonly isExact: boolean;
  /** Below, equal to or above 0 as the value of an entry is below, equal to or above the one that is looked for. */
  compare(slot: number, item: number): number;
}

/** Columns of some nodes. */
interface NodeChunk {
  readonly keys: Float64Array;
  readonly slots: Uint32Array;
  readonly items: Uint32Array;
  readonly children: Uint32Array;
  /** Those of slots, items and children that the pool keeps. */
  readonly numbers: readonly Uint32Array[];
  readonly counts: Uint16Array;
  /** By node: how many of its last entries are out of order. */
  readonly tails: Uint8Array;
}

const NODE_BITS = 7;
const ENTRIES = 1 << NODE_BITS;
/** Entries of a node: with 64 the inner nodes are twice as many and leave the cache; 256 are much for a small index. */
export const NODE_ENTRIES: number = ENTRIES;
/** Large chunks are few objects to go through: with 32 nodes in each an insert took a tenth longer. */
const CHUNK_BITS = 9;
const CHUNK_NODES: number = 1 << CHUNK_BITS;
const CHUNK_MASK: number = CHUNK_NODES - 1;

/** Where the entries of a node begin in the columns of its chunk. */
function firstOf(node: number): number {
  return (node & CHUNK_MASK) << NODE_BITS;
}

/** Puts the entries from `first` to `end` in order: by insertion, as they are few. */
function sortEntries(keys: Float64Array, slots: Uint32Array, first: number, end: number): void {
  for (let i = first + 1; i < end; i++) {
    const key = keys[i]!;
    const slot = slots[i]!;
    let at = i;
    for (; at > first && isAbove(keys[at - 1]!, slots[at - 1]!, key, slot); at--) {
      keys[at] = keys[at - 1]!;
      slots[at] = slots[at - 1]!;
    }
    keys[at] = key;
    slots[at] = slot;
  }
}

/** Puts the ordered entries from `middle` to `end` in their places among those from `first` to `middle`. */
function mergeEntries(keys: Float64Array, slots: Uint32Array, first: number, middle: number, end: number): void {
  const count = end - middle;
  for (let i = 0; i < count; i++) {
    MERGED_KEYS[i] = keys[middle + i]!;
    MERGED_SLOTS[i] = slots[middle + i]!;
  }
  let left = middle - 1;
  let to = end - 1;
  for (let i = count - 1; i >= 0; i--, to--) {
    const key = MERGED_KEYS[i]!;
    const slot = MERGED_SLOTS[i]!;
    for (; left >= first && isAbove(keys[left]!, slots[left]!, key, slot); left--, to--) {
      keys[to] = keys[left]!;
      slots[to] = slots[left]!;
    }
    keys[to] = key;
    slots[to] = slot;
  }
}

/** True if an entry whose key is its value is above another. */
function isAbove(key: number, slot: number, otherKey: number, otherSlot: number): boolean {
  return key > otherKey || (key === otherKey && slot > otherSlot);
}

/** Where entries are that are being merged. */
const MERGED_KEYS = new Float64Array(ENTRIES);
const MERGED_SLOTS = new Uint32Array(ENTRIES);

/** Puts a number before the one at `at` of those up to `end`. */
function insertNumber(numbers: Uint32Array, at: number, end: number, number: number): void {
  numbers.copyWithin(at + 1, at, end);
  numbers[at] = number;
}
