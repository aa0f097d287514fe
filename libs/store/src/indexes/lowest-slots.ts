import type { IndexAccess } from './scan-plan.ts';
import { sortSlots } from './slot-order.ts';

/** Slots of one page of a scan: a walk over a large range is paid once for so many. */
export const PAGE_SLOTS_MAX = 16_384;
/** Gathered slots are put in order, and all but a page of them let go, when they are so many. */
const GATHERED_MAX: number = PAGE_SLOTS_MAX * 4;
const GATHERED_FIRST = 1024;
const NO_SLOTS = new Uint32Array(0);

/**
 * The lowest slots from `first` on that an index gives, in order and each once, at most {@link PAGE_SLOTS_MAX}: what a scan that goes by
 * slots needs of an index that goes by values. O(entries of the range).
 */
export function lowestSlots({ index, range }: IndexAccess, first: number): Uint32Array {
  const placed = index.place(range);
  if (placed === null) return NO_SLOTS;
  const { from, to } = placed;
  let gathered = new Uint32Array(GATHERED_FIRST);
  let count = 0;
  let limit = Infinity;
  for (;;) {
    const taken = from.takeSlots(to, gathered, count, gathered.length - count);
    if (taken === 0) return inOrder(gathered, count, index.isMulti).subarray(0, PAGE_SLOTS_MAX);
    count = keepBetween(gathered, count, count + taken, first, limit);
    if (count < gathered.length) continue;
    if (count < GATHERED_MAX) gathered = doubled(gathered);
    else ({ count, limit } = lowestPage(gathered, index.isMulti));
  }
}

/** Of the slots from place `at` to `end` keeps those that are not below `first` and below `limit`; returns the place behind the last. */
function keepBetween(slots: Uint32Array, at: number, end: number, first: number, limit: number): number {
  if (first === 0 && limit === Infinity) return end;
  let kept = at;
  for (let i = at; i < end; i++) {
    const slot = slots[i]!;
    if (slot >= first && slot < limit) slots[kept++] = slot;
  }
  return kept;
}

/** Keeps the lowest of what was gathered: how many, and below which slot others still count. */
function lowestPage(gathered: Uint32Array, hasMany: boolean): { count: number; limit: number } {
  const sorted = inOrder(gathered, gathered.length, hasMany);
  const count = Math.min(sorted.length, PAGE_SLOTS_MAX);
  const limit = count < sorted.length ? sorted[count]! : Infinity;
  gathered.set(sorted.subarray(0, count));
  return { count, limit };
}

/** The first `count` of some slots, put in order; of several entries of one cell one. */
function inOrder(slots: Uint32Array, count: number, hasMany: boolean): Uint32Array {
  const sorted = sortSlots(slots, count, new Uint32Array(slots.length));
  if (!hasMany || count === 0) return sorted;
  let kept = 1;
  for (let i = 1; i < count; i++) if (sorted[i] !== sorted[kept - 1]) sorted[kept++] = sorted[i]!;
  return sorted.subarray(0, kept);
}

function doubled(slots: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(slots.length * 2);
  grown.set(slots);
  return grown;
}
