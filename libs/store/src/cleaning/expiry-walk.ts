import { isNiobeError } from '@niobe/kernel';
import type { CellReader } from '../cell-reader.ts';
import { entryBytesAt, expiresAt, KIND, kindAt, slotAt, WORD_BYTES } from '../entry.ts';
import type { Parts } from '../parts.ts';
import type { Segment } from '../segment.ts';

/** Goes through a segment in which cells have expired and writes a tombstone over each of them. */
export class ExpiryWalk {
  readonly segment: Segment;
  readonly #parts: Parts;
  readonly #reader: CellReader;
  #at: number;
  readonly #end: number;
  /** Of the cells met so far that live on. */
  #earliestExpiryS: number = Infinity;
  /** Cells that were deleted. */
  deleted = 0;

  constructor(parts: Parts, reader: CellReader, segment: Segment) {
    this.#parts = parts;
    this.#reader = reader;
    this.segment = segment;
    this.#at = segment.startAddress;
    this.#end = segment.endAddress;
    // Entries appended from now on lower it again; what the walk finds is added at its end.
    segment.earliestExpiryS = Infinity;
  }

  get isDone(): boolean {
    return this.#at === this.#end;
  }

  /** One batch of deletes, or a look at so many entries without any, until `endMs`. False where there is no room for tombstones. */
  slice(endMs: number): boolean {
    const { batch } = this.#parts;
    const at = this.#at;
    const deleted = this.deleted;
    batch.begin();
    try {
      this.#look(endMs);
      batch.commit('survivor', 'clean', this.segment.capacityBytes);
    } catch (error) {
      batch.rollback();
      this.#at = at;
      this.deleted = deleted;
      if (isNiobeError(error, 'STORE_FULL')) return false;
      throw error;
    }
    if (this.isDone) this.#finish();
    return true;
  }

  #look(endMs: number): void {
    const { arena, batch, clock } = this.#parts;
    for (let entries = 1; this.#at < this.#end; entries++) {
      this.#visit(this.#at);
      this.#at += entryBytesAt(arena.words, this.#at) / WORD_BYTES;
      if (entries === SLICE_ENTRIES_MAX || batch.stagedBytes >= BATCH_BYTES) return;
      if (entries % ENTRIES_PER_LOOK === 0 && clock.monotonicMs() >= endMs) return;
    }
  }

  #visit(address: number): void {
    const { arena, batch, slots } = this.#parts;
    const expiresS = expiresAt(arena.words, address);
    if (expiresS === 0 || kindAt(arena.words, address) !== KIND.cell) return;
    const slot = slotAt(arena.words, address);
    if (slots.address(slot) !== address) return;
    if (this.#reader.isExpired(address)) {
      batch.deleteCell(slot);
      this.deleted += 1;
    } else {
      this.#earliestExpiryS = Math.min(this.#earliestExpiryS, expiresS);
    }
  }

  #finish(): void {
    const nowS = this.#parts.clock.nowMs() / 1000;
    const nextS = Math.max(this.#earliestExpiryS, nowS + EXPIRY_PAUSE_S);
    this.segment.earliestExpiryS = Math.min(this.segment.earliestExpiryS, nextS);
  }
}

/** Bytes of tombstones in a batch. */
const BATCH_BYTES: number = 64 * 1024;
/** Entries a slice walks whatever the clock says, so that a clock that stands still does not make it endless. */
const SLICE_ENTRIES_MAX = 16_384;
const ENTRIES_PER_LOOK = 64;
/** A segment is looked through for expired cells at most this often. */
const EXPIRY_PAUSE_S = 10;
