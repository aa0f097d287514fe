/**
 * Nodes of an entry tree: up to {@link NODE_ENTRIES} entries each, in columns outside the JavaScript heap. An entry has a key and a slot,
 * where asked for a number that says which item of the cell it is, and in inner nodes a child.
 *
 * Nodes lie in chunks of 1,024, so that a tree of any size is some hundred arrays and growing a large one copies nothing. Only the first
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
    return { keys: new Float64Array(entries), slots, items, children, numbers, counts: new Uint16Array(nodes) };
  }

  #doubled(chunk: NodeChunk): NodeChunk {
    const grown = this.#newChunk(chunk.counts.length * 2);
    grown.keys.set(chunk.keys);
    for (const [i, column] of chunk.numbers.entries()) grown.numbers[i]!.set(column);
    grown.counts.set(chunk.counts);
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

  /** Makes an entry the same as one of another pool, but for its child. */
  copy(node: number, place: number, from: NodePool, fromNode: number, fromPlace: number): void {
    const chunk = this.#chunks[node >>> CHUNK_BITS]!;
    const at = firstOf(node) + place;
    chunk.keys[at] = from.key(fromNode, fromPlace);
    chunk.slots[at] = from.slot(fromNode, fromPlace);
    if (this.#hasItems) chunk.items[at] = from.item(fromNode, fromPlace);
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
}

const NODE_BITS = 6;
/** Entries of a node: 32, 128 and 256 were slower. */
export const NODE_ENTRIES: number = 1 << NODE_BITS;
/** Large chunks are few objects to go through: with 32 nodes in each an insert took a tenth longer. */
const CHUNK_BITS = 10;
const CHUNK_NODES: number = 1 << CHUNK_BITS;
const CHUNK_MASK: number = CHUNK_NODES - 1;

/** Where the entries of a node begin in the columns of its chunk. */
function firstOf(node: number): number {
  return (node & CHUNK_MASK) << NODE_BITS;
}

/** Puts a number before the one at `at` of those up to `end`. */
function insertNumber(numbers: Uint32Array, at: number, end: number, number: number): void {
  numbers.copyWithin(at + 1, at, end);
  numbers[at] = number;
}
