import { mix32 } from '@niobe/kernel';
import { Column } from './column.ts';

/**
 * How many vertices of a step led to each candidate: columns by the candidate's place among the fresh ones of its set, and an
 * open-addressing table from slot to place. A leader is a number that each expanded vertex has for itself, so that a vertex which lists
 * a candidate twice (over both directions of a type, or in a list that was begun anew) counts once.
 */
export class Leads {
  /** By place. */
  readonly counts: Column = new Column();
  readonly #leaders = new Column();
  /** Place + 1 by hash of the slot, 0 for none; a power of two, at most half full. */
  #places: Uint32Array = new Uint32Array(LEAST);

  /** Bytes it holds. */
  get bytes(): number {
    return this.counts.bytes + this.#leaders.bytes + this.#places.byteLength;
  }

  /** Notes a candidate at the next place, `slots[place]`, with `count` leads. */
  add(slots: Column, leader: number, count: number): void {
    this.counts.push(count);
    this.#leaders.push(leader);
    const { length } = this.counts;
    if (length * 2 > this.#places.length) this.#rehash(slots);
    else this.#enter(slots.values[length - 1]!, length - 1);
  }

  /** Counts `count` more leads of a slot where it is a candidate of this step, unless its last lead came from `leader` as well. */
  repeat(slots: Column, slot: number, leader: number, count: number): void {
    const place = this.#find(slots, slot);
    if (place < 0) return;
    if (leader !== NO_LEADER && this.#leaders.values[place] === leader) return;
    if (leader !== NO_LEADER) this.#leaders.values[place] = leader;
    this.counts.values[place]! += count;
  }

  clear(): void {
    this.counts.clear();
    this.#leaders.clear();
    if (this.#places.length > LEAST) this.#places = new Uint32Array(LEAST);
    else this.#places.fill(0);
  }

  #find(slots: Column, slot: number): number {
    const mask = this.#places.length - 1;
    for (let at = mix32(slot) & mask; this.#places[at] !== 0; at = (at + 1) & mask) {
      const place = this.#places[at]! - 1;
      if (slots.values[place] === slot) return place;
    }
    return -1;
  }

  #enter(slot: number, place: number): void {
    const mask = this.#places.length - 1;
    let at = mix32(slot) & mask;
    while (this.#places[at] !== 0) at = (at + 1) & mask;
    this.#places[at] = place + 1;
  }

  #rehash(slots: Column): void {
    this.#places = new Uint32Array(this.#places.length * 2);
    for (let place = 0; place < this.counts.length; place++) this.#enter(slots.values[place]!, place);
  }
}

/** Stands for leads that come from another shard, where they were counted apart. */
export const NO_LEADER = 0;

const LEAST = 64;
