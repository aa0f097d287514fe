import { mix32 } from '@niobe/kernel';

/**
 * Edges that were linked lately, both sides, so that only their counters are sent again: in streams most edges repeat. Direct-mapped:
 * what falls on a taken place replaces what was there. Forgetting costs a LINK without effect, nothing else.
 *
 * Bound: {@link KNOWN_EDGES} places of 18 bytes.
 */

/** Places, a power of two. */
export const KNOWN_EDGES = 1_048_576;
const TWO_32 = 0x1_0000_0000;
const NONE = -1;

export class KnownEdges {
  readonly #mask: number;
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  /** Schema id of the list at the edge's source. */
  readonly #types: Uint16Array;

  /** @param places a power of two. */
  constructor(places: number = KNOWN_EDGES) {
    this.#mask = places - 1;
    this.#from = new Float64Array(places).fill(NONE);
    this.#to = new Float64Array(places);
    this.#types = new Uint16Array(places);
  }

  /** @param type schema id of the edge type's list at the source. */
  has(type: number, from: number, to: number): boolean {
    const place = this.#placeOf(type, from, to);
    return this.#from[place] === from && this.#to[place] === to && this.#types[place] === type;
  }

  add(type: number, from: number, to: number): void {
    const place = this.#placeOf(type, from, to);
    this.#from[place] = from;
    this.#to[place] = to;
    this.#types[place] = type;
  }

  #placeOf(type: number, from: number, to: number): number {
    const high = mix32((from / TWO_32) ^ mix32(to / TWO_32) ^ type);
    return mix32((from % TWO_32) ^ mix32((to % TWO_32) ^ high)) & this.#mask;
  }
}
