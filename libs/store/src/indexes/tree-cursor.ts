import type { EntryTree } from './entry-tree.ts';
import { TreePath } from './tree-path.ts';

/** A position between the entries of a tree that is not empty. It holds until the tree changes. */
export class TreeCursor {
  readonly #tree: EntryTree;
  readonly #path = new TreePath();

  constructor(tree: EntryTree) {
    this.#tree = tree;
  }

  /** Stands before the first entry that is not below (`key`, `slot`); see `EntryTree.seek`. */
  seek(key: number, slot: number): void {
    this.#tree.seek(this.#path, key, slot);
    this.#toEntry();
  }

  toFirst(): void {
    this.#tree.seekEdge(this.#path, false);
  }

  /** Stands behind the last entry. */
  toEnd(): void {
    this.#tree.seekEdge(this.#path, true);
  }

  /** True if no entry is behind it. */
  get isAtEnd(): boolean {
    return this.#path.places[0] === this.#tree.leaves.count(this.#path.nodes[0]!);
  }

  /** True if both stand at the same place of one tree. */
  equals(other: TreeCursor): boolean {
    return this.#path.nodes[0] === other.#path.nodes[0] && this.#path.places[0] === other.#path.places[0];
  }

  /** About how many entries lie before it. */
  get rank(): number {
    return this.#tree.rank(this.#path);
  }

  /** Of the entry behind it: there must be one. */
  get key(): number {
    return this.#tree.leaves.key(this.#path.nodes[0]!, this.#path.places[0]!);
  }

  get slot(): number {
    return this.#tree.leaves.slot(this.#path.nodes[0]!, this.#path.places[0]!);
  }

  get item(): number {
    return this.#tree.leaves.item(this.#path.nodes[0]!, this.#path.places[0]!);
  }

  /** Passes the entry behind it. */
  next(): void {
    this.#path.places[0]! += 1;
    this.#toEntry();
  }

  /** Goes back before the entry in front of it: there must be one. */
  back(): void {
    const { nodes, places } = this.#path;
    if (places[0] === 0) this.#toNeighbour(-1);
    else places[0]! -= 1;
    if (places[0] === this.#tree.leaves.count(nodes[0]!)) places[0] -= 1;
  }

  /**
   * Passes entries up to `end`, at most `most`, and writes their slots to `slots` from `at` on; returns how many. It must not stand
   * behind `end`.
   */
  takeSlots(end: TreeCursor, slots: Uint32Array, at: number, most: number): number {
    const { nodes, places } = this.#path;
    const { leaves } = this.#tree;
    let taken = 0;
    while (taken < most && !this.equals(end)) {
      const leaf = nodes[0]!;
      const last = leaf === end.#path.nodes[0] ? end.#path.places[0]! : leaves.count(leaf);
      const count = Math.min(last - places[0]!, most - taken);
      leaves.copySlots(leaf, places[0]!, count, slots, at + taken);
      places[0]! += count;
      taken += count;
      this.#toEntry();
    }
    return taken;
  }

  /** As {@link takeSlots}, going back down to `end`, in front of which it must not stand. */
  takeSlotsBack(end: TreeCursor, slots: Uint32Array, at: number, most: number): number {
    const { nodes, places } = this.#path;
    let taken = 0;
    while (taken < most && !this.equals(end)) {
      if (places[0] === 0) this.#toNeighbour(-1);
      const leaf = nodes[0]!;
      const first = leaf === end.#path.nodes[0] ? end.#path.places[0]! : 0;
      const count = Math.min(places[0]! - first, most - taken);
      places[0]! -= count;
      this.#tree.leaves.copySlotsBack(leaf, places[0]!, count, slots, at + taken);
      taken += count;
    }
    return taken;
  }

  /** From the end of a leaf to the start of the next one, if there is one. */
  #toEntry(): void {
    const { nodes, places } = this.#path;
    if (places[0] === this.#tree.leaves.count(nodes[0]!)) this.#toNeighbour(1);
  }

  /** To the start of the next leaf (1) or the end of the leaf before (-1); stays where there is none. */
  #toNeighbour(step: 1 | -1): void {
    const { nodes, places } = this.#path;
    const { inner, leaves, height } = this.#tree;
    const isEdge = (level: number): boolean => places[level] === (step === 1 ? inner.count(nodes[level]!) - 1 : 0);
    let level = 1;
    while (level <= height && isEdge(level)) level += 1;
    if (level > height) return;
    places[level]! += step;
    for (; level > 0; level--) {
      const child = inner.child(nodes[level]!, places[level]!);
      if (level === 1) leaves.order(child);
      const count = level === 1 ? leaves.count(child) : inner.count(child) - 1;
      nodes[level - 1] = child;
      places[level - 1] = step === 1 ? 0 : count;
    }
  }
}
