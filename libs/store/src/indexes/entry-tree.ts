import { assert } from '@niobe/kernel';
import { NODE_ENTRIES, NodePool, type Ties } from './node-pool.ts';
import { LEVELS_MAX, TreePath } from './tree-path.ts';

/**
 * A set of entries (key, slot) in order: a B+tree (Bayer and McCreight 1972, Comer 1979) whose keys are partial keys (Bohannon, McIlroy
 * and Rastogi, "Main-memory index structures with fixed-size partial keys", 2001).
 *
 * 1. An entry has a double, which is the value itself or its first bytes, and the slot of the cell. Where doubles are equal but may stand
 *    for different values, {@link Ties} compares the values in the cells. So an entry is 12 bytes whatever the value is.
 * 2. An inner node holds for each child that child's first entry. It is always an entry that exists: its value can be read.
 * 3. A full node is split in half; where the new entry goes behind all others, almost all stay in the left half, so that ascending
 *    values fill their nodes.
 * 4. A node below a quarter is joined with a neighbour where both then fill three quarters at most; else that neighbour is more than
 *    half full. So neighbours of one parent are 3/8 full on average, and 32 cheap operations at least lie between two dear ones.
 * 5. An entry whose key is its value is put behind the others of its leaf, out of order: that waits for no line of the leaf, where a search
 *    would wait for three, one after the other. Such entries are put in order together, when the leaf is full or somebody looks into it;
 *    the first of a leaf stays the first.
 *
 * Insert, remove and seek are O(log n) and move at most one node's entries a level.
 */
export class EntryTree {
  readonly leaves: NodePool;
  readonly inner: NodePool;
  readonly #ties: Ties | null;
  readonly #hasItems: boolean;
  readonly #path = new TreePath();
  #root = 0;
  #height = 0;
  #count = 0;

  /**
   * @param ties null where equal keys are equal values
   * @param hasItems true where `ties` needs a number beside the slot to know which value of a cell an entry is
   */
  constructor(ties: Ties | null, hasItems: boolean) {
    this.#ties = ties;
    this.#hasItems = hasItems;
    this.leaves = new NodePool(hasItems, false);
    this.inner = new NodePool(hasItems, true);
  }

  /** Entries. */
  get count(): number {
    return this.#count;
  }

  /** Levels of inner nodes above the leaves. */
  get height(): number {
    return this.#height;
  }

  get memoryBytes(): number {
    return this.leaves.memoryBytes + this.inner.memoryBytes;
  }

  /** Adds an entry that is not there. `ties` must know its value. */
  insert(key: number, slot: number, item: number): void {
    if (this.#count === 0) this.#root = this.leaves.take();
    if (!this.#hasItems && this.#append(key, slot)) return;
    const path = this.#path;
    for (this.seek(path, key, slot); this.leaves.isFull(path.nodes[0]!); this.seek(path, key, slot)) this.#split();
    this.leaves.insert(path.nodes[0]!, path.places[0]!, key, slot, item, 0);
    this.#count += 1;
    if (path.places[0] === 0) this.#refreshFirst(0);
  }

  /** Adds an entry behind the others of its leaf, if its key is its value and there is room; not below all others. True if it did. */
  #append(key: number, slot: number): boolean {
    if (this.#ties?.isExact === false) return false;
    let node = this.#root;
    for (let level = this.#height; level > 0; level--) {
      node = this.inner.childOf(node, key, slot);
      if (node < 0) return false;
    }
    if (!this.leaves.append(node, key, slot)) return false;
    this.#count += 1;
    return true;
  }

  /** Removes an entry, which must be there. `ties` must know its value. */
  remove(key: number, slot: number): void {
    assert(this.#count > 0, 'a removed entry is in the tree');
    const path = this.#path;
    this.seek(path, key, slot);
    const leaf = path.nodes[0]!;
    const place = path.places[0]!;
    const isThere = place < this.leaves.count(leaf) && this.leaves.key(leaf, place) === key;
    assert(isThere && this.leaves.slot(leaf, place) === slot, 'a removed entry is in the tree');
    this.leaves.remove(leaf, place);
    this.#count -= 1;
    if (this.#count === 0) this.clear();
    else this.#shrink(0);
  }

  /**
   * The way to the first entry that is not below (`key`, `slot`), or to the end of the leaf before it. A slot of -1 stands before all
   * entries of the value, one of `Infinity` behind them. The tree must not be empty.
   */
  seek(path: TreePath, key: number, slot: number): void {
    let node = this.#root;
    for (let level = this.#height; level > 0; level--) {
      const notAbove = this.inner.countBelow(node, key, slot + 1, this.#ties);
      const place = notAbove === 0 ? 0 : notAbove - 1;
      path.nodes[level] = node;
      path.places[level] = place;
      node = this.inner.child(node, place);
    }
    this.leaves.order(node);
    path.nodes[0] = node;
    path.places[0] = this.leaves.countBelow(node, key, slot, this.#ties);
  }

  /** The way to the first or behind the last entry. The tree must not be empty. */
  seekEdge(path: TreePath, isLast: boolean): void {
    let node = this.#root;
    for (let level = this.#height; level > 0; level--) {
      path.nodes[level] = node;
      path.places[level] = isLast ? this.inner.count(node) - 1 : 0;
      node = this.inner.child(node, path.places[level]!);
    }
    this.leaves.order(node);
    path.nodes[0] = node;
    path.places[0] = isLast ? this.leaves.count(node) : 0;
  }

  /** About how many entries lie before a path: nodes of one level are taken to be equally full. O(levels). */
  rank(path: TreePath): number {
    let before = path.places[0]! / this.leaves.count(path.nodes[0]!);
    for (let level = 1; level <= this.#height; level++) {
      before = (path.places[level]! + before) / this.inner.count(path.nodes[level]!);
    }
    return before * this.#count;
  }

  poolOf(level: number): NodePool {
    return level === 0 ? this.leaves : this.inner;
  }

  /** Splits the highest of the full nodes that end the path; those below it are split when the path was sought again. */
  #split(): void {
    const { nodes, places } = this.#path;
    let level = 0;
    while (level < this.#height && this.inner.isFull(nodes[level + 1]!)) level += 1;
    if (level === this.#height) this.#raise();
    const pool = this.poolOf(level);
    const left = nodes[level]!;
    const right = pool.take();
    const isAppend = places[level]! >= pool.count(left) - (level === 0 ? 0 : 1);
    pool.moveTail(left, isAppend ? APPEND_SPLIT : NODE_ENTRIES / 2, right);
    this.#adopt(nodes[level + 1]!, places[level + 1]! + 1, pool, right);
  }

  /** Puts a root with one child above the root. */
  #raise(): void {
    const below = this.poolOf(this.#height);
    const old = this.#root;
    this.#root = this.inner.take();
    this.#height += 1;
    assert(this.#height < LEVELS_MAX, 'a tree has fewer levels than slots can fill');
    this.#adopt(this.#root, 0, below, old);
    this.#path.nodes[this.#height] = this.#root;
    this.#path.places[this.#height] = 0;
  }

  /** Puts a child in an inner node. */
  #adopt(parent: number, place: number, pool: NodePool, child: number): void {
    this.inner.insert(parent, place, pool.key(child, 0), pool.slot(child, 0), pool.item(child, 0), child);
  }

  /** Tells the inner nodes above that the first entry of the path's node on `level` is another one. */
  #refreshFirst(level: number): void {
    const { nodes, places } = this.#path;
    for (let below = level; below < this.#height; below++) {
      const pool = this.poolOf(below);
      const node = nodes[below]!;
      this.inner.copy(nodes[below + 1]!, places[below + 1]!, pool, node, 0);
      if (places[below + 1] !== 0) return;
    }
  }

  /** After an entry of the path's node on `level` was removed. */
  #shrink(level: number): void {
    const pool = this.poolOf(level);
    const node = this.#path.nodes[level]!;
    if (level === this.#height) {
      this.#lower();
      return;
    }
    if (pool.count(node) === 0) {
      this.#drop(level, this.#path.places[level + 1]!);
      return;
    }
    if (this.#path.places[level] === 0) this.#refreshFirst(level);
    if (pool.count(node) < SPARSE) this.#join(level);
  }

  /** Joins the path's node on `level` with a neighbour, if both fit in one. */
  #join(level: number): void {
    const pool = this.poolOf(level);
    const parent = this.#path.nodes[level + 1]!;
    const place = this.#path.places[level + 1]!;
    for (const leftPlace of [place - 1, place]) {
      if (leftPlace < 0 || leftPlace + 1 >= this.inner.count(parent)) continue;
      const left = this.inner.child(parent, leftPlace);
      const right = this.inner.child(parent, leftPlace + 1);
      if (pool.count(left) + pool.count(right) > JOINED_MAX) continue;
      pool.order(left);
      pool.order(right);
      pool.moveTail(right, 0, left);
      this.#drop(level, leftPlace + 1);
      return;
    }
  }

  /** Gives back an empty child of the path's node above `level`. */
  #drop(level: number, place: number): void {
    const parent = this.#path.nodes[level + 1]!;
    this.poolOf(level).give(this.inner.child(parent, place));
    this.inner.remove(parent, place);
    this.#path.places[level + 1] = place;
    this.#shrink(level + 1);
  }

  /** Takes away roots with one child. */
  #lower(): void {
    while (this.#height > 0 && this.inner.count(this.#root) === 1) {
      const only = this.inner.child(this.#root, 0);
      this.inner.give(this.#root);
      this.#root = only;
      this.#height -= 1;
    }
  }

  /** Removes all entries and gives back their memory. */
  clear(): void {
    this.leaves.clear();
    this.inner.clear();
    this.#height = 0;
    this.#count = 0;
  }
}

/** Where a node is split whose new entry goes behind all others. */
const APPEND_SPLIT: number = NODE_ENTRIES - NODE_ENTRIES / 16;
/** A node with fewer entries looks for a neighbour to join ... */
const SPARSE: number = NODE_ENTRIES / 4;
/** ... with which it has no more than this. */
const JOINED_MAX: number = (NODE_ENTRIES * 3) / 4;
