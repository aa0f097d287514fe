import { NiobeError } from '@niobe/kernel';
import type { IndexedValues } from './indexed-values.ts';
import type { IndexRange, PlacedRange, SecondaryIndex } from './secondary-index.ts';
import type { TreeCursor } from './tree-cursor.ts';

/** Which cells in the order of a sorted index: values are in the encoding of its path's type, as those of a clause. */
export interface OrderedRange {
  /** The least value. */
  readonly from?: Uint8Array;
  /** True where `from` itself does not belong to the range. */
  readonly fromIsOpen?: boolean;
  /** The greatest value. */
  readonly to?: Uint8Array;
  /** True where `to` itself does not belong to the range. */
  readonly toIsOpen?: boolean;
  /** Text and bytes that begin so; instead of `from` and `to`. */
  readonly prefix?: Uint8Array;
  /** Greatest first. */
  readonly descending?: boolean;
  /** Most cells to visit. */
  readonly limit: number;
}

/** The slots of a range in the order of a sorted index, cells of equal values by slot. */
export class OrderedWalk {
  readonly #index: SecondaryIndex;
  readonly #range: IndexRange;
  readonly #descending: boolean;
  readonly #placed: PlacedRange | null;

  /** Throws `BAD_REQUEST` or `SCHEMA_VIOLATION` for a wish that the index cannot meet. */
  constructor(index: SecondaryIndex, wish: OrderedRange) {
    this.#index = index;
    this.#range = rangeOf(index, wish);
    this.#descending = wish.descending === true;
    this.#placed = index.place(this.#range);
  }

  /**
   * Writes up to `most` slots to the front of `slots` and returns how many; 0 at the end. A cell with many values in the range comes
   * once, where the walk first meets it.
   */
  next(slots: Uint32Array, most: number): number {
    if (this.#placed === null) return 0;
    const { from, to } = this.#placed;
    if (this.#index.isMulti) return this.#nextFirstMet(from, to, slots, most);
    return this.#descending ? to.takeSlotsBack(from, slots, 0, most) : from.takeSlots(to, slots, 0, most);
  }

  #nextFirstMet(from: TreeCursor, to: TreeCursor, slots: Uint32Array, most: number): number {
    const cursor = this.#descending ? to : from;
    let count = 0;
    while (count < most && !from.equals(to)) {
      if (this.#descending) cursor.back();
      if (isFirstMet(this.#index, cursor, this.#range, this.#descending)) slots[count++] = cursor.slot;
      if (!this.#descending) cursor.next();
    }
    return count;
  }
}

/** True unless the cell of the entry at `cursor` has a value in the range that a walk meets before. */
function isFirstMet(index: SecondaryIndex, cursor: TreeCursor, range: IndexRange, descending: boolean): boolean {
  const values = index.valuesOf(cursor.slot);
  const step = descending ? -1 : 1;
  for (let rank = descending ? values.count - 1 : 0; rank >= 0 && rank < values.count; rank += step) {
    if (isWithin(values, rank, range)) return index.isEntryOf(values, rank, cursor);
  }
  return false;
}

function isWithin(values: IndexedValues, rank: number, { from, to }: IndexRange): boolean {
  const isAbove = from === null || values.compareBound(rank, from) >= (from.isOpen ? 1 : 0);
  return isAbove && (to === null || values.compareBound(rank, to) <= (to.isOpen ? -1 : 0));
}

function rangeOf(index: SecondaryIndex, wish: OrderedRange): IndexRange {
  const { from, to, prefix } = wish;
  if (prefix !== undefined) {
    if (from === undefined && to === undefined) return index.prefixRange(prefix);
    throw new NiobeError('BAD_REQUEST', 'a prefix goes without from and to');
  }
  return {
    from: from === undefined ? null : index.boundOf(from, wish.fromIsOpen ?? false),
    to: to === undefined ? null : index.boundOf(to, wish.toIsOpen ?? false),
  };
}
