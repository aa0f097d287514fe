import type { CellPath } from './cell-path.ts';
import { badRequest } from './clause.ts';
import { compareValues, orderOf } from './value-order.ts';
import { ValueRanges } from './value-ranges.ts';

/** A path to order bodies by. */
export interface OrderedPath {
  readonly path: string;
  /** Largest first, and nulls last. */
  readonly descending?: true;
}

/** Negative, zero or positive as body `a` comes before, with or after body `b`. Allocates nothing. */
export type BodyOrder = (
  a: Uint8Array,
  aAt: number,
  aLength: number,
  b: Uint8Array,
  bAt: number,
  bLength: number,
) => number;

/** Paths that one order compares by. */
const ORDERED_PATHS_MAX = 32;

/**
 * Orders bodies by the first path in which they differ, in the full order of values (NaN above everything, -0 equal to 0), nulls below
 * all values. Throws `BAD_REQUEST` for a path to many values or to values without an order.
 */
export function orderBy(paths: readonly { readonly path: CellPath; readonly descending: boolean }[]): BodyOrder {
  if (paths.length > ORDERED_PATHS_MAX) throw badRequest(`${paths.length} paths exceed ${ORDERED_PATHS_MAX}`);
  const orders = paths.map(({ path, descending }) => (descending ? reversed(orderOn(path)) : orderOn(path)));
  if (orders.length === 1) return orders[0]!;
  return (a, aAt, aLength, b, bAt, bLength) => {
    for (let i = 0; i < orders.length; i++) {
      const order = orders[i]!(a, aAt, aLength, b, bAt, bLength);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function orderOn(path: CellPath): BodyOrder {
  const kind = orderOf(path.type);
  if (path.isMulti || kind === 'none' || kind === 'same') throw badRequest(`${path.text}: has no order`);
  const byRanges = orderByRanges(path);
  if (kind !== 'numbers') return byRanges;
  return (a, aAt, aLength, b, bAt, bLength) => {
    const left = path.readNumber(a, aAt, aLength);
    const right = path.readNumber(b, bAt, bLength);
    if (left < right) return -1;
    if (left > right) return 1;
    // What is left is a null, or a NaN.
    return left === right ? 0 : byRanges(a, aAt, aLength, b, bAt, bLength);
  };
}

function orderByRanges(path: CellPath): BodyOrder {
  const left = new ValueRanges();
  const right = new ValueRanges();
  return (a, aAt, aLength, b, bAt, bLength) => {
    path.collect(a, aAt, aLength, left);
    path.collect(b, bAt, bLength, right);
    if (left.count === 0 || right.count === 0) return left.count - right.count;
    return compareValues(
      path.type,
      left.source(0),
      left.starts[0]!,
      left.ends[0]!,
      right.source(0),
      right.starts[0]!,
      right.ends[0]!,
    );
  };
}

function reversed(order: BodyOrder): BodyOrder {
  return (a, aAt, aLength, b, bAt, bLength) => order(b, bAt, bLength, a, aAt, aLength);
}
