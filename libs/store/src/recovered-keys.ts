import type { KeyIndex } from './key-index.ts';
import { HASH_BITS, indexHash } from './key-tables.ts';

/**
 * Keys on their way into the index of a partition that is recovered.
 *
 * In the order of the log every key would be a cache miss of its own in the index, and together they would take longer than all the rest.
 * So keys are collected, {@link KEYS_AT_ONCE} at a time, dealt out by the first bits of their hashes, and put in group by group: one
 * group goes to about one table, which fits the cache (Boncz, Manegold and Kersten, radix partitioning, 1999). A cell is read again only where the
 * index cannot tell two keys apart.
 */
export class RecoveredKeys {
  readonly #index: KeyIndex;
  readonly #onTwin: (slot: number) => never;
  /** Bits of a hash that choose the group. */
  readonly #groupBits: number;
  /** Hash and slot of each key. */
  readonly #pairs: Uint32Array;
  #count = 0;

  /**
   * @param keys as many will be taken, at most
   * @param onTwin refuses a slot whose key another cell has
   */
  constructor(index: KeyIndex, keys: number, onTwin: (slot: number) => never) {
    this.#index = index;
    this.#onTwin = onTwin;
    this.#groupBits = Math.min(GROUP_BITS_MAX, Math.max(0, Math.round(Math.log2(keys / KEYS_PER_GROUP))));
    this.#pairs = new Uint32Array(2 * Math.min(keys, KEYS_AT_ONCE));
  }

  /** Takes the key of a slot. Throws `STORE_FULL`. */
  add(hash: number, slot: number): void {
    if (2 * this.#count === this.#pairs.length) this.insertAll();
    this.#pairs[2 * this.#count] = hash;
    this.#pairs[2 * this.#count + 1] = slot;
    this.#count += 1;
  }

  /** Puts the keys that were taken into the index. Throws `STORE_FULL`. */
  insertAll(): void {
    const dealt = dealOut(this.#pairs.subarray(0, 2 * this.#count), this.#groupBits);
    this.#count = 0;
    for (let at = 0; at < dealt.length; at += 2) {
      const hash = dealt[at]!;
      const slot = dealt[at + 1]!;
      if (this.#index.hasKeyOf(hash, slot)) this.#onTwin(slot);
      this.#index.insert(hash, slot);
    }
  }
}

/** The pairs in the order of the first `bits` bits of their hashes. */
function dealOut(pairs: Uint32Array, bits: number): Uint32Array {
  const shift = HASH_BITS - bits;
  const ends = new Uint32Array((1 << bits) + 1);
  for (let at = 0; at < pairs.length; at += 2) ends[(indexHash(pairs[at]!) >>> shift) + 1]! += 2;
  for (let group = 0; group < 1 << bits; group++) ends[group + 1]! += ends[group]!;
  const dealt = new Uint32Array(pairs.length);
  for (let at = 0; at < pairs.length; at += 2) {
    const group = indexHash(pairs[at]!) >>> shift;
    const to = ends[group]!;
    dealt[to] = pairs[at]!;
    dealt[to + 1] = pairs[at + 1]!;
    ends[group] = to + 2;
  }
  return dealt;
}

/** 32 MiB, and as much again while they are dealt out. */
const KEYS_AT_ONCE: number = 2 ** 22;
/** Some three quarters of what a table holds. */
const KEYS_PER_GROUP = 10_000;
const GROUP_BITS_MAX = 11;
