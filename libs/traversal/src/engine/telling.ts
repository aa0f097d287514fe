import type { Clock } from '@niobe/kernel';
import type { StepTotals } from '../frames/frontier.ts';
import { SECTION_SLOTS_MAX } from '../limits.ts';
import type { VertexSet } from '../sets/vertex-set.ts';
import type { VertexSets } from '../sets/vertex-sets.ts';
import type { Outbox } from './outbox.ts';

/** Tells the other shards their candidates, in slices. What was told is forgotten here, but for its bits. */
export class Telling {
  readonly #sets: VertexSets;
  /** By shard; null for this one. */
  readonly #outboxes: readonly (Outbox | null)[];
  readonly #clock: Clock;
  #set = 0;
  #place = 0;
  /** Candidates told in this step. */
  told = 0;

  constructor(sets: VertexSets, outboxes: readonly (Outbox | null)[], clock: Clock) {
    this.#sets = sets;
    this.#outboxes = outboxes;
    this.#clock = clock;
  }

  /** Bytes of messages: those that were sent, and again those that are not acknowledged yet, for they are kept. */
  get bytes(): number {
    let bytes = 0;
    for (const outbox of this.#outboxes) if (outbox !== null) bytes += outbox.sentBytes + outbox.waitingBytes;
    return bytes;
  }

  beginStep(step: number): void {
    this.told = 0;
    for (const outbox of this.#outboxes) outbox?.beginStep(step);
  }

  /** While the step goes on: tells what fills sections, so that it need not be kept. Not where counts may still rise. False if the time is up. */
  tellFull(endMs: number): boolean {
    for (const set of this.#sets.all) {
      const outbox = this.#outboxes[set.owner];
      if (outbox == null || set.counts !== null || set.fresh.length < SECTION_SLOTS_MAX) continue;
      if (this.#clock.monotonicMs() >= endMs || !this.#tell(set, outbox, endMs)) return false;
    }
    return true;
  }

  /** Tells the rest; false if the time is up before. */
  tellAll(endMs: number): boolean {
    const { all } = this.#sets;
    for (; this.#set < all.length; this.#set++) {
      const set = all[this.#set]!;
      const outbox = this.#outboxes[set.owner];
      if (outbox != null && !this.#tell(set, outbox, endMs)) return false;
    }
    this.#set = 0;
    return true;
  }

  /** Ends the step at every shard. */
  end(totals: StepTotals): void {
    for (const outbox of this.#outboxes) outbox?.endStep(totals);
  }

  close(): void {
    for (const outbox of this.#outboxes) outbox?.close();
  }

  #tell(set: VertexSet, outbox: Outbox, endMs: number): boolean {
    const { fresh, counts } = set;
    while (this.#place < fresh.length) {
      if (this.#clock.monotonicMs() >= endMs) return false;
      const end = Math.min(fresh.length, this.#place + SECTION_SLOTS_MAX);
      outbox.section(set.high, fresh.values, counts?.values ?? null, this.#place, end);
      this.#place = end;
    }
    this.told += fresh.length;
    this.#place = 0;
    if (fresh.length > 0) set.clear();
    return true;
  }
}
