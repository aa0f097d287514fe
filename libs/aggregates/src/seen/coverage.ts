import { assert } from '@niobe/kernel';

/**
 * Which offsets of one Kafka partition are covered: a union of half-open ranges, kept sorted and joined where they touch.
 * A deployment in good order has one range, or two while a lane catches up.
 */
export class Coverage {
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  /** Ranges held apart; 1 in good order. */
  get ranges(): number {
    return this.#from.length;
  }

  /** Adds [from, to). O(ranges). */
  add(from: number, to: number): void {
    assert(from <= to, 'a range ends at or after its begin');
    if (from === to) return;
    let first = 0;
    while (first < this.#from.length && this.#to[first]! < from) first += 1;
    let last = first;
    let joinedFrom = from;
    let joinedTo = to;
    for (; last < this.#from.length && this.#from[last]! <= to; last++) {
      joinedFrom = Math.min(joinedFrom, this.#from[last]!);
      joinedTo = Math.max(joinedTo, this.#to[last]!);
    }
    this.#from.splice(first, last - first, joinedFrom);
    this.#to.splice(first, last - first, joinedTo);
  }

  /** Forgets everything below `offset`. */
  dropBelow(offset: number): void {
    while (this.#from.length > 0 && this.#to[0]! <= offset) {
      this.#from.shift();
      this.#to.shift();
    }
    if (this.#from.length > 0 && this.#from[0]! < offset) this.#from[0] = offset;
  }

  /** True if all of [from, to) is covered. */
  holds(from: number, to: number): boolean {
    return from >= to || this.reachesBackFrom(to) <= from;
  }

  /** The lowest offset from which everything up to `to` is covered; `to` itself where `to - 1` is not. */
  reachesBackFrom(to: number): number {
    for (let i = this.#from.length - 1; i >= 0; i--) {
      if (this.#from[i]! < to) return this.#to[i]! >= to ? this.#from[i]! : to;
    }
    return to;
  }
}
