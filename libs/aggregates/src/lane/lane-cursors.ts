import { assert } from '@niobe/kernel';

/**
 * Where a stage of a lane stands in one Kafka partition, for each grid partition:
 *
 * - `applied`: the cursor that the grid partition keeps for the lane's sources. The next batch to it begins there.
 * - `done`: events below were folded for it and are in, or there was nothing in them for it. Never below `applied`; the folder passes
 *   over events below. A grid partition that is damaged in every copy is done with everything until it is back.
 */
export class LaneCursors {
  readonly applied: Float64Array;
  readonly done: Float64Array;
  readonly #left: Uint8Array;
  /** 1: what lies between `done` and the lane's position must be folded again for this grid partition. */
  readonly #again: Uint8Array;

  constructor(applied: Float64Array) {
    this.applied = applied.slice();
    this.done = applied.slice();
    this.#left = new Uint8Array(applied.length);
    this.#again = new Uint8Array(applied.length);
  }

  /** The lowest cursor of the grid partitions that take part. */
  get lowest(): number {
    return lowestOf(this.applied, this.#left);
  }

  /** Grid partitions that are left behind because they are damaged. */
  get leftBehind(): number {
    return this.#left.reduce((count, left) => count + left, 0);
  }

  /** A correction asks to go back: not all that was sent is in. */
  get goesBack(): boolean {
    return this.#again.includes(1);
  }

  isLeft(partition: number): boolean {
    return this.#left[partition] === 1;
  }

  /** A batch up to `to` is in. */
  accept(partition: number, to: number): void {
    assert(to >= this.applied[partition]!, 'a cursor never goes back');
    this.applied[partition] = to;
  }

  /** The grid partition said that its cursor is `present` when a batch up to `to` was sent: another process wrote, or nobody did. */
  correct(partition: number, present: number, to: number): void {
    this.applied[partition] = this.done[partition] = present;
    if (present < to) this.#again[partition] = 1;
  }

  /** The grid partition cannot be served by anyone; the others go on. */
  leave(partition: number): void {
    this.#left[partition] = 1;
    this.done[partition] = Number.POSITIVE_INFINITY;
  }

  /** A grid partition that was left is back: what it missed is read again. */
  rejoin(partition: number): void {
    this.#left[partition] = 0;
    this.done[partition] = this.applied[partition]!;
    this.#again[partition] = 1;
  }

  /** Everything below `to` was folded and sent. Returns where to go on: `to`, or below it what a correction asks for. */
  finish(to: number): number {
    let next = to;
    for (let p = 0; p < this.done.length; p++) {
      const done = this.done[p]!;
      if (this.#again[p] === 1) next = Math.min(next, done);
      else if (done < to) this.done[p] = to;
    }
    this.#again.fill(0);
    return next;
  }
}

function lowestOf(offsets: Float64Array, left: Uint8Array): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let p = 0; p < offsets.length; p++) if (left[p] === 0 && offsets[p]! < lowest) lowest = offsets[p]!;
  return lowest;
}
