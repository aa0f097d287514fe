import type { BuddyAllocator, Part } from './buddy.ts';
import { SEGMENT_BYTES_MIN } from './limits.ts';
import type { Segment } from './segment.ts';

/**
 * A stretch of the arena that is being made free as a whole, because a larger segment is wanted than there is a part for, though enough
 * bytes are free. Its segments are emptied first of all, and what is free in it, or becomes so, is handed out to nobody meanwhile.
 */
export class Clearing {
  readonly part: Part;
  readonly #segments: readonly Segment[];
  readonly #held: Part[];
  #heldGrains = 0;

  constructor({ part, segments }: Stretch, buddy: BuddyAllocator) {
    this.part = part;
    this.#segments = segments;
    this.#held = buddy.takeWithin(part.grain, part.order);
    for (const { order } of this.#held) this.#heldGrains += 1 << order;
    for (const segment of segments) segment.isInTheWay = true;
  }

  /** Bytes that are free here. */
  get heldBytes(): number {
    return this.#heldGrains * SEGMENT_BYTES_MIN;
  }

  get isDone(): boolean {
    return this.#heldGrains === 1 << this.part.order;
  }

  /** True where something cannot be emptied for want of room. */
  isStuck(freeBytes: number): boolean {
    return this.#segments.some(({ state, stuckAtFreeBytes }) => state === 'sealed' && stuckAtFreeBytes >= freeBytes);
  }

  /** Takes what became free if it lies here. */
  hold(part: Part): boolean {
    if (part.grain >> this.part.order !== this.part.grain >> this.part.order) return false;
    this.#held.push(part);
    this.#heldGrains += 1 << part.order;
    return true;
  }

  /** Gives everything back: joined where it is done, in parts where it is given up. */
  end(buddy: BuddyAllocator): void {
    for (const segment of this.#segments) segment.isInTheWay = false;
    for (const { grain, order } of this.#held) buddy.give(grain, order);
  }
}

/**
 * The aligned stretch of 2^order grains in which least lives, or null. One that a larger segment reaches into is none, nor is one whose
 * segments cannot be emptied for want of room.
 */
export function cheapestStretch(
  byGrain: readonly (Segment | null)[],
  order: number,
  freeBytes: number,
): Stretch | null {
  let best: Stretch | null = null;
  for (let grain = 0; grain < byGrain.length; grain += 1 << order) {
    const stretch = stretchAt(byGrain, grain, order);
    const isStuck = stretch.segments.some(({ stuckAtFreeBytes }) => stuckAtFreeBytes >= freeBytes);
    if (!stretch.isCut && !isStuck && (best === null || stretch.liveBytes < best.liveBytes)) best = stretch;
  }
  return best;
}

/** An aligned part of the arena and what lies in it. */
export interface Stretch {
  readonly part: Part;
  readonly segments: readonly Segment[];
  readonly liveBytes: number;
  /** True where a segment reaches beyond it. */
  readonly isCut: boolean;
}

function stretchAt(byGrain: readonly (Segment | null)[], grain: number, order: number): Stretch {
  const usedGrains = byGrain.slice(grain, grain + (1 << order)).filter((segment) => segment !== null);
  const segments = [...new Set(usedGrains)];
  let liveBytes = 0;
  let bytes = 0;
  for (const segment of segments) {
    liveBytes += segment.liveBytes;
    bytes += segment.capacityBytes;
  }
  return { part: { grain, order }, segments, liveBytes, isCut: bytes > usedGrains.length * SEGMENT_BYTES_MIN };
}
