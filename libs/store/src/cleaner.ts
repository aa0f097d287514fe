import { assert, isNiobeError } from '@niobe/kernel';
import type { CellReader } from './cell-reader.ts';
import { bestWorth, chooseVictims } from './cleaning/choice.ts';
import { ExpiryWalk } from './cleaning/expiry-walk.ts';
import { Survivors } from './cleaning/survivors.ts';
import { Victim } from './cleaning/victim.ts';
import { DOUBLE_ZERO } from './double-zero.ts';
import { LANES, type Lane } from './log.ts';
import type { Parts } from './parts.ts';
import type { Segment } from './segment.ts';

/**
 * Makes memory free by moving what lives in sealed segments, in slices between requests.
 *
 * 1. A few victims are chosen by cost and benefit (cleaning/choice.ts). What lives in them is appended to survivor segments, sorted by
 *    age, in batches with commits (cleaning/survivors.ts), so that it travels to the backups like any other bytes. It keeps its version.
 * 2. An emptied segment is retired. Its memory is free once the backups hold the survivors and `release` was called. A segment that is
 *    empty without the cleaner's doing is retired at once, whatever the pressure.
 * 3. The latest entry of every slot lives, tombstones of free slots too: they say the generation that was given away last, and that what
 *    other segments, here or in copies, still say of the slot is over. They are dead as soon as the slot is used again, because its new
 *    cell says both. So a tombstone is kept exactly as long as what it guards against could come back.
 * 4. Expired cells become tombstones (cleaning/expiry-walk.ts).
 *
 * A survivor segment is never larger than the victims it is opened for, so cleaning gives back at least what it takes, and the reserve is
 * enough to begin. Where there is no room for the next entry, the victims are left as they are until more memory is free.
 */
export class Cleaner {
  readonly #parts: Parts;
  readonly #reader: CellReader;
  readonly #survivors: Survivors;
  #victims: Victim[] = [];
  #expiry: ExpiryWalk | null = null;
  /** Bytes of live entries that were moved, as they lie in survivors. */
  movedBytes: number = DOUBLE_ZERO;
  /** Segments that were emptied. */
  emptiedSegments = 0;
  /** Expired cells that became tombstones. */
  expiredCells = 0;

  constructor(parts: Parts, reader: CellReader) {
    this.#parts = parts;
    this.#reader = reader;
    this.#survivors = new Survivors(parts);
  }

  /**
   * What there is to gain: 0 nothing now, else the worth of the best victim, to be compared with those of other partitions of the arena;
   * Infinity where a segment is empty, due or on its way. O(segments).
   */
  gain(): number {
    const isDue = this.#empty().length > 0 || this.#due() !== null || this.#wastefulLanes().length > 0;
    return this.isBusy || isDue ? Infinity : bestWorth(this.#parts);
  }

  /** True while segments are on their way. */
  get isBusy(): boolean {
    return this.#victims.length > 0 || this.#expiry !== null;
  }

  /** Works for about `budgetMs`. True if something was done, false if there is nothing to do or no room. */
  clean(budgetMs: number): boolean {
    assert(!this.#parts.batch.isOpen, 'the cleaner works between batches');
    if (!this.isBusy && !this.#begin()) return false;
    const endMs = this.#parts.clock.monotonicMs() + budgetMs;
    if (this.#expiry !== null) return this.#expire(this.#expiry, endMs);
    return this.#victims.length === 0 || this.#move(endMs);
  }

  /** Leaves the segments that are on their way as they are. */
  stop(): void {
    this.#victims = [];
    this.#expiry = null;
  }

  /** Gives back what is empty, or takes up what is due or worth it. False where there is nothing. */
  #begin(): boolean {
    for (const lane of this.#wastefulLanes()) this.#parts.log.seal(lane);
    this.#trimOpen();
    const empty = this.#empty();
    for (const segment of empty) this.#retire(segment);
    if (empty.length > 0) return true;
    const due = this.#due();
    if (due !== null) this.#expiry = new ExpiryWalk(this.#parts, this.#reader, due);
    else this.#victims = chooseVictims(this.#parts).map((segment) => new Victim(this.#parts, segment));
    return this.isBusy;
  }

  /** Lanes whose open segment is better sealed: a larger one is wanted where it lies, or memory is scarce and most of it is dead. */
  #wastefulLanes(): Lane[] {
    const { arena, log } = this.#parts;
    return LANES.filter((lane) => {
      const segment = log.openSegment(lane);
      if (segment === null || segment.isInTheWay) return segment !== null;
      const deadBytes = segment.committedBytes - segment.liveBytes;
      return arena.pressure > 0 && deadBytes > segment.capacityBytes * DEAD_SHARE_OPEN;
    });
  }

  /** Where somebody was refused, open segments give up what they have not begun to fill. */
  #trimOpen(): void {
    const { arena, log } = this.#parts;
    for (const lane of arena.isShort ? LANES : []) {
      const segment = log.openSegment(lane);
      if (segment !== null) arena.trim(segment);
    }
  }

  #empty(): Segment[] {
    return [...this.#parts.log.segments()].filter(({ state, liveBytes }) => state === 'sealed' && liveBytes === 0);
  }

  /** A segment with cells that have expired. */
  #due(): Segment | null {
    const nowS = this.#parts.clock.nowMs() / 1000;
    for (const segment of this.#parts.log.segments())
      if (segment.state !== 'retired' && segment.earliestExpiryS <= nowS) return segment;
    return null;
  }

  #retire(segment: Segment): void {
    this.#parts.log.retire(segment);
    this.emptiedSegments += 1;
  }

  #expire(walk: ExpiryWalk, endMs: number): boolean {
    const before = walk.deleted;
    const isDone = walk.slice(endMs);
    this.expiredCells += walk.deleted - before;
    if (walk.isDone) this.#expiry = null;
    return isDone;
  }

  #move(endMs: number): boolean {
    try {
      this.#moveBatches(endMs);
      return true;
    } catch (error) {
      if (!isNiobeError(error, 'STORE_FULL')) throw error;
      for (const { segment } of this.#victims) segment.stuckAtFreeBytes = this.#parts.arena.freeBytes;
      this.stop();
      return false;
    }
  }

  #moveBatches(endMs: number): void {
    const { clock } = this.#parts;
    const mostBytes = Math.max(...this.#victims.map(({ segment }) => segment.capacityBytes));
    for (let moved = 0; moved < SLICE_BYTES_MAX;) {
      const bytes = this.#survivors.moveBatch(this.#victims, mostBytes);
      if (bytes === 0) return this.#finish();
      moved += bytes;
      this.movedBytes += bytes;
      if (clock.monotonicMs() >= endMs) return;
    }
  }

  #finish(): void {
    for (const { segment } of this.#victims) this.#retire(segment);
    this.#victims = [];
  }
}

/** An open segment of which more is dead is sealed when memory is scarce. */
const DEAD_SHARE_OPEN = 1 / 2;
/** What a slice moves at most whatever the clock says, so that a clock that stands still does not make it endless. */
const SLICE_BYTES_MAX: number = 1024 * 1024;
