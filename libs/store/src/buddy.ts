import { assert } from '@niobe/kernel';

/**
 * Divides blocks into power-of-two parts and joins them again (the binary buddy system; Knowlton 1965, Knuth 2.5). Deals in grains, the
 * smallest part; knows nothing of memory. The lowest fitting part is taken first, so that whole blocks stay whole where possible.
 *
 * An allocation happens once per segment, so lists are searched in O(parts).
 */
export class BuddyAllocator {
  readonly #topOrder: number;
  /** By order: first grains of the free parts of 2^order grains. */
  readonly #free: number[][];
  #freeGrains: number;

  /** @param blocks number of blocks @param topOrder a block is 2^topOrder grains */
  constructor(blocks: number, topOrder: number) {
    this.#topOrder = topOrder;
    this.#free = Array.from({ length: topOrder + 1 }, () => []);
    this.#free[topOrder] = Array.from({ length: blocks }, (_, block) => block << topOrder);
    this.#freeGrains = blocks << topOrder;
  }

  get freeGrains(): number {
    return this.#freeGrains;
  }

  /** Takes 2^order grains and returns the first, or -1 where no free part is large enough. */
  take(order: number): number {
    let from = order;
    while (from <= this.#topOrder && this.#free[from]!.length === 0) from++;
    if (from > this.#topOrder) return -1;
    const grain = takeLowest(this.#free[from]!);
    for (let half = from - 1; half >= order; half--) this.#free[half]!.push(grain + (1 << half));
    this.#freeGrains -= 1 << order;
    return grain;
  }

  /** True where {@link take} would find a part of this order. */
  has(order: number): boolean {
    return this.#free.some((parts, at) => at >= order && parts.length > 0);
  }

  /** Takes all free parts inside an aligned part of 2^order grains that is not free as a whole. */
  takeWithin(grain: number, order: number): Part[] {
    const taken: Part[] = [];
    for (let at = 0; at < order; at++) {
      const [inside, outside] = divided(this.#free[at]!, (first) => first >> order === grain >> order);
      this.#free[at] = outside;
      taken.push(...inside.map((first) => ({ grain: first, order: at })));
    }
    for (const part of taken) this.#freeGrains -= 1 << part.order;
    return taken;
  }

  /** Gives back what {@link take} returned for the same order. */
  give(grain: number, order: number): void {
    let first = grain;
    let at = order;
    for (; at < this.#topOrder; at++) {
      const parts = this.#free[at]!;
      const buddyAt = parts.indexOf(first ^ (1 << at));
      if (buddyAt < 0) break;
      parts.splice(buddyAt, 1);
      first &= ~(1 << at);
    }
    assert(!this.#free[at]!.includes(first), 'a part is given back once');
    this.#free[at]!.push(first);
    this.#freeGrains += 1 << order;
  }
}

/** 2^order grains from `grain` on. */
export interface Part {
  readonly grain: number;
  readonly order: number;
}

/** The fewest aligned parts that grains `first` to `end` consist of. */
export function alignedParts(first: number, end: number): Part[] {
  const parts: Part[] = [];
  for (let grain = first; grain < end;) {
    let order = 0;
    while (grain % (2 << order) === 0 && grain + (2 << order) <= end) order++;
    parts.push({ grain, order });
    grain += 1 << order;
  }
  return parts;
}

function divided<T>(items: readonly T[], isInside: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isInside), items.filter((item) => !isInside(item))];
}

function takeLowest(parts: number[]): number {
  let lowest = 0;
  for (let i = 1; i < parts.length; i++) if (parts[i]! < parts[lowest]!) lowest = i;
  const [grain] = parts.splice(lowest, 1);
  return grain!;
}
