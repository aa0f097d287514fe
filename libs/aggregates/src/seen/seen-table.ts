import { assert, NiobeError } from '@niobe/kernel';

/**
 * The deduplication table of one Kafka partition: which event ids were seen first at which offset.
 *
 * 1. An id is a 128-bit hash. An *entry* is (hash, offset, second): the event at that offset was new, and its record carries that
 *    Kafka timestamp. Duplicates leave no entry.
 * 2. The event at offset o is a duplicate if the newest entry f of its hash with f <= o is not o itself and lies inside the window:
 *    o - f <= ids and second(o) - second(f) <= hours. So the answer depends on what the Kafka partition holds and on nothing else,
 *    and a replay, which finds its own entry at o, decides as the first pass did.
 * 3. An id that comes again after its window has a second entry; the older one stays as long as a replay may start before it.
 * 4. Open addressing with linear probing over columns of typed arrays (Knuth, TAOCP 6.4, algorithm L). Nothing is deleted one by
 *    one: when three quarters are full it is copied without what lies below the floor, into twice the room if that is not enough.
 *
 * Bound: `entriesMax` live entries, then `BUSY`; the consumer pauses, the floor rises as cursors move on.
 */

/** Seconds and offsets inside which a repeated id is a duplicate. */
export interface SeenWindow {
  readonly ids: number;
  readonly seconds: number;
}

const SMALLEST_SLOTS = 64;
/** Bytes one slot takes: 16 of hash, 8 of offset, 4 of second. */
export const SLOT_BYTES = 28;

export class SeenTable {
  readonly window: SeenWindow;
  readonly #entriesMax: number;
  #slots = SMALLEST_SLOTS;
  #hashes = new Uint32Array(4 * SMALLEST_SLOTS);
  /** Offset + 1; 0 marks a free slot. */
  #offsets = new Float64Array(SMALLEST_SLOTS);
  #seconds = new Uint32Array(SMALLEST_SLOTS);
  #entries = 0;
  #floor = 0;

  /** @param entriesMax bound of live entries; more throws `BUSY`. */
  constructor(window: SeenWindow, entriesMax: number) {
    this.window = window;
    this.#entriesMax = entriesMax;
  }

  /** Entries held, dead ones below the floor included. */
  get entries(): number {
    return this.#entries;
  }

  /** Bytes of the columns. */
  get bytes(): number {
    return this.#slots * SLOT_BYTES;
  }

  /** Entries below `offset` can matter to no event at or above the lowest cursor; they leave with the next copy. Never goes back. */
  raiseFloor(offset: number): void {
    if (offset > this.#floor) this.#floor = offset;
  }

  /**
   * Decides about the event at `offset` whose hash is `hash[at, at + 4)`, and remembers it if it is new. O(1) expected.
   * @returns true if the event is a duplicate.
   */
  isDuplicate(hash: Uint32Array, at: number, offset: number, second: number): boolean {
    const newest = this.#newest(hash, at, offset);
    if (newest >= 0) {
      const seen = this.#offsets[newest]! - 1;
      if (seen === offset) return false;
      if (offset - seen <= this.window.ids && second - this.#seconds[newest]! <= this.window.seconds) return true;
    }
    this.#insert(hash, at, offset, second);
    return false;
  }

  /** Takes an entry that was decided before, such as one of a stored cell; one that is there already changes nothing. */
  remember(hash: Uint32Array, at: number, offset: number, second: number): void {
    const newest = this.#newest(hash, at, offset);
    if (newest >= 0 && this.#offsets[newest] === offset + 1) return;
    this.#insert(hash, at, offset, second);
  }

  /** Slot of the newest entry of this hash at or below `offset`, or -1. */
  #newest(hash: Uint32Array, at: number, offset: number): number {
    const a = hash[at]!;
    const b = hash[at + 1]!;
    const c = hash[at + 2]!;
    const d = hash[at + 3]!;
    const hashes = this.#hashes;
    const offsets = this.#offsets;
    const mask = this.#slots - 1;
    let best = -1;
    for (let slot = a & mask; offsets[slot] !== 0; slot = (slot + 1) & mask) {
      const h = slot * 4;
      if (hashes[h] !== a || hashes[h + 1] !== b || hashes[h + 2] !== c || hashes[h + 3] !== d) continue;
      if (offsets[slot]! <= offset + 1 && (best < 0 || offsets[slot]! > offsets[best]!)) best = slot;
    }
    return best;
  }

  #insert(hash: Uint32Array, at: number, offset: number, second: number): void {
    if (this.#entries * 4 >= this.#slots * 3) this.#copy();
    this.#place(hash, at, offset, second);
  }

  #place(hash: Uint32Array, at: number, offset: number, second: number): void {
    const mask = this.#slots - 1;
    let slot = hash[at]! & mask;
    while (this.#offsets[slot] !== 0) slot = (slot + 1) & mask;
    for (let i = 0; i < 4; i++) this.#hashes[slot * 4 + i] = hash[at + i]!;
    this.#offsets[slot] = offset + 1;
    this.#seconds[slot] = second;
    this.#entries += 1;
  }

  /** Leaves the dead behind; more room where the living alone fill five eighths, so that a copy frees an eighth at least. */
  #copy(): void {
    const [hashes, offsets, seconds] = [this.#hashes, this.#offsets, this.#seconds];
    const live = this.#live();
    if (live >= this.#entriesMax) throw this.#full(live);
    while (live * 8 > this.#slots * 5) this.#slots *= 2;
    this.#hashes = new Uint32Array(4 * this.#slots);
    this.#offsets = new Float64Array(this.#slots);
    this.#seconds = new Uint32Array(this.#slots);
    this.#entries = 0;
    for (let slot = 0; slot < offsets.length; slot++) {
      if (offsets[slot]! > this.#floor) this.#place(hashes, slot * 4, offsets[slot]! - 1, seconds[slot]!);
    }
    assert(this.#entries === live, 'a copy keeps every live entry');
  }

  #live(): number {
    let live = 0;
    for (let slot = 0; slot < this.#slots; slot++) if (this.#offsets[slot]! > this.#floor) live += 1;
    return live;
  }

  #full(live: number): NiobeError {
    return new NiobeError(
      'BUSY',
      `the deduplication table holds ${live} ids, its bound: a cursor has not moved past offset ${this.#floor + this.window.ids}; see which grid partition refuses its batches`,
      { retryAfterMs: 1000 },
    );
  }
}
