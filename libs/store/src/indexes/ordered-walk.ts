import { NiobeError } from '@niobe/kernel';
import { BodyColumns, RUN_CELLS } from '../body-columns.ts';
import type { CellReader } from '../cell-reader.ts';
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

/**
 * Visits cells in the order of a sorted index, cells of equal values by slot, and returns how many it visited. A cell with many values
 * in the range comes once, where the walk first meets it.
 */
export function walkInOrder(
  index: SecondaryIndex,
  wish: OrderedRange,
  reader: CellReader,
  visit: (slot: number) => void,
): number {
  const walk = new OrderedWalk(index, rangeOf(index, wish), wish.descending === true);
  const wanted = new Uint32Array(RUN_CELLS);
  const run = new BodyColumns();
  let visited = 0;
  while (visited < wish.limit) {
    const count = walk.next(wanted, Math.min(RUN_CELLS, wish.limit - visited));
    if (count === 0) break;
    reader.gatherSlots(wanted, count, run);
    for (let i = 0; i < run.count; i++) visit(run.slots[i]!);
    visited += run.count;
  }
  return visited;
}

/** The slots of a range, one run after the other. */
class OrderedWalk {
  readonly #index: SecondaryIndex;
  readonly #range: IndexRange;
  readonly #descending: boolean;
  readonly #placed: PlacedRange | null;

  constructor(index: SecondaryIndex, range: IndexRange, descending: boolean) {
    this.#index = index;
    this.#range = range;
    this.#descending = descending;
    this.#placed = index.place(range);
  }

  /** Writes up to `most` slots to `slots` and returns how many; 0 at the end. */
  next(slots: Uint32Array, most: number): number {
    if (this.#placed === null) return 0;
    const { from, to } = this.#placed;
    const cursor = this.#descending ? to : from;
    let count = 0;
    while (count < most && !from.equals(to)) {
      if (this.#descending) cursor.back();
      if (!this.#index.isMulti || isFirstMet(this.#index, cursor, this.#range, this.#descending)) {
        slots[count++] = cursor.slot;
      }
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
