import { assert, isNiobeError } from '@niobe/kernel';
import type { CellReader } from './cell-reader.ts';
import { copiedBytes, entryBytesAt, expiresAt, KIND, kindAt, schemaIdAt, slotAt, WORD_BYTES } from './entry.ts';
import { overheadOf } from './log.ts';
import type { Parts } from './parts.ts';
import type { Segment } from './segment.ts';

/**
 * Makes memory free by moving what lives in sealed segments, in slices between requests.
 *
 * 1. The victim is the sealed segment with the smallest share of live bytes. What lives in it (the slot table points here) is appended
 *    to the survivor segment in batches with commits, so that it travels to the backups like any other bytes, and keeps its version.
 * 2. How much must be dead for a victim to be worth it depends on how scarce memory is: with enough of it only segments without any
 *    live byte are given back, which costs nothing.
 * 3. An emptied segment is retired. Its memory is free once the backups hold the survivors and `release` was called.
 * 4. Expired cells become tombstones: when a victim is walked, and in segments where the earliest expiry has passed.
 *
 * One segment is walked at a time. A survivor segment is never larger than the victim it is opened for, so cleaning gives back at
 * least what it takes, and the reserve is enough to begin.
 */
export class Cleaner {
  readonly #parts: Parts;
  readonly #reader: CellReader;
  #walk: Walk | null = null;
  /** Bytes of live entries that were moved. */
  movedBytes = 0;
  /** Segments that were emptied. */
  emptiedSegments = 0;
  /** Expired cells that became tombstones. */
  expiredCells = 0;

  constructor(parts: Parts, reader: CellReader) {
    this.#parts = parts;
    this.#reader = reader;
  }

  /**
   * How much there is to gain: 0 nothing now, up to 1 the dead share of the best victim, 2 a segment that is empty, due or being walked.
   * O(segments).
   */
  gain(): number {
    if (this.#walk !== null || this.#empty() !== null || this.#due() !== null) return 2;
    const victim = this.#victim();
    return victim === null ? 0 : victim.deadShare;
  }

  /** True while a segment is being walked. */
  get isWalking(): boolean {
    return this.#walk !== null;
  }

  /** Works for about `budgetMs`, at most one survivor batch. True if something was done, false if there is nothing to do or no room. */
  clean(budgetMs: number): boolean {
    assert(!this.#parts.batch.isOpen, 'the cleaner works between batches');
    if (this.#retireEmpty()) return true;
    this.#walk ??= this.#nextWalk();
    if (this.#walk === null) return false;
    return this.#slice(this.#walk, this.#parts.clock.monotonicMs() + budgetMs);
  }

  /** Leaves the segment that is being walked as it is. */
  stop(): void {
    this.#walk = null;
  }

  /** Gives back a segment in which nothing lives. */
  #retireEmpty(): boolean {
    const empty = this.#empty();
    if (empty !== null) this.#retire(empty);
    return empty !== null;
  }

  #empty(): Segment | null {
    for (const segment of this.#parts.log.segments()) {
      if (segment.state === 'sealed' && segment.liveBytes === 0 && segment !== this.#walk?.segment) return segment;
    }
    return null;
  }

  #retire(segment: Segment): void {
    this.#parts.log.retire(segment);
    this.emptiedSegments += 1;
  }

  #nextWalk(): Walk | null {
    const due = this.#due();
    if (due !== null) {
      // Entries appended from now on lower it again; what the walk finds is added at its end.
      due.earliestExpiryS = Infinity;
      return walkOver(due, false);
    }
    const victim = this.#victim();
    return victim === null ? null : walkOver(victim, true);
  }

  /** A segment with cells that have expired. */
  #due(): Segment | null {
    const nowS = this.#parts.clock.nowMs() / 1000;
    for (const segment of this.#parts.log.segments()) {
      if (segment.state !== 'retired' && segment.earliestExpiryS <= nowS) return segment;
    }
    return null;
  }

  #victim(): Segment | null {
    let best: Segment | null = null;
    for (const segment of this.#parts.log.segments()) {
      if (segment.state === 'sealed' && (best === null || segment.deadShare > best.deadShare)) best = segment;
    }
    return best !== null && best.deadShare >= leastDeadShare(this.#parts.arena.pressure) ? best : null;
  }

  #slice(walk: Walk, endMs: number): boolean {
    const { batch } = this.#parts;
    const { at } = walk;
    batch.begin();
    try {
      this.#fillBatch(walk, endMs);
      batch.commit('survivor', 'clean', walk.segment.capacityBytes);
    } catch (error) {
      batch.rollback();
      walk.at = at;
      if (isNiobeError(error, 'STORE_FULL')) return false;
      throw error;
    }
    if (walk.at === walk.end) this.#finish(walk);
    return true;
  }

  #fillBatch(walk: Walk, endMs: number): void {
    const { arena, batch, clock, log } = this.#parts;
    const mostBytes = this.#sliceBytes();
    for (let entries = 1; walk.at < walk.end; entries++) {
      const bytes = entryBytesAt(arena.words, walk.at);
      const neededBytes = copiedBytes(arena, walk.at, log.versionWord);
      if (batch.stagedBytes > 0 && batch.stagedBytes + neededBytes > mostBytes) return;
      this.#visit(walk, walk.at, bytes);
      walk.at += bytes / WORD_BYTES;
      if (entries === SLICE_ENTRIES_MAX) return;
      if (entries % ENTRIES_PER_LOOK === 0 && clock.monotonicMs() >= endMs) return;
    }
  }

  /** What a batch may hold: no more than fits the open survivor segment, so that it is filled to its end. */
  #sliceBytes(): number {
    const survivor = this.#parts.log.openSegment('survivor');
    return survivor === null ? SLICE_BYTES : Math.min(SLICE_BYTES, survivor.roomBytes - overheadOf(survivor));
  }

  #visit(walk: Walk, address: number, bytes: number): void {
    const { arena, batch } = this.#parts;
    if (!this.#isLive(address)) return;
    if (kindAt(arena.words, address) === KIND.cell && this.#reader.isExpired(address)) {
      batch.deleteCell(slotAt(arena.words, address));
      this.expiredCells += 1;
    } else if (walk.empties) {
      batch.copyEntry(address);
      this.movedBytes += bytes;
    } else {
      const expiresS = expiresAt(arena.words, address);
      if (expiresS !== 0) walk.earliestExpiryS = Math.min(walk.earliestExpiryS, expiresS);
    }
  }

  #isLive(address: number): boolean {
    const { arena, definitions, slots } = this.#parts;
    switch (kindAt(arena.words, address)) {
      case KIND.cell:
      case KIND.tombstone:
        return slots.address(slotAt(arena.words, address)) === address;
      case KIND.schema:
        return definitions.get(schemaIdAt(arena.words, address))?.address === address;
      default:
        return false;
    }
  }

  #finish(walk: Walk): void {
    const { segment } = walk;
    this.#walk = null;
    if (walk.empties) {
      this.#retire(segment);
      return;
    }
    const nowS = this.#parts.clock.nowMs() / 1000;
    const nextS = Math.max(walk.earliestExpiryS, nowS + EXPIRY_PAUSE_S);
    segment.earliestExpiryS = Math.min(segment.earliestExpiryS, nextS);
  }
}

/** A segment on the way through the cleaner. */
interface Walk {
  readonly segment: Segment;
  /** True for a victim, false where only expired cells are looked for. */
  readonly empties: boolean;
  /** Address of the next entry. */
  at: number;
  readonly end: number;
  /** Of the live cells met so far. */
  earliestExpiryS: number;
}

function walkOver(segment: Segment, empties: boolean): Walk {
  return { segment, empties, at: segment.startAddress, end: segment.endAddress, earliestExpiryS: Infinity };
}

/** A survivor batch: some 30 us of copying and CRC, and commits cost less than a thousandth of the bytes. */
const SLICE_BYTES: number = 64 * 1024;
/** Entries a slice walks whatever the clock says, so that a clock that stands still does not make it endless. */
const SLICE_ENTRIES_MAX = 16_384;
const ENTRIES_PER_LOOK = 64;
/** A segment is looked through for expired cells at most this often. */
const EXPIRY_PAUSE_S = 10;

/** With the least pressure a victim must be half dead, ... */
const DEAD_SHARE_EASY = 1 / 2;
/** ... with the most, enough to pay for the commits of its survivors. */
const DEAD_SHARE_HARD = 1 / 32;

function leastDeadShare(pressure: number): number {
  return pressure === 0 ? 1 : DEAD_SHARE_EASY + (DEAD_SHARE_HARD - DEAD_SHARE_EASY) * pressure;
}
