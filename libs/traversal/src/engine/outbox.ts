import type { Bus } from '@niobe/grid';
import { delay, isNiobeError, NiobeError, ByteWriter, type Clock, type ErrorCode } from '@niobe/kernel';
import { beginPart, endPart, type StepTotals } from '../frames/frontier.ts';
import { openReply, TraverseKind } from '../frames/header.ts';
import type { SectionWriter } from '../frames/slot-sections.ts';
import {
  PART_ATTEMPT_MS,
  PART_BYTES,
  PART_BYTES_MAX,
  PART_PAUSE_MS,
  PARTS_IN_FLIGHT,
  PARTS_MAX,
  START_GRACE_MS,
} from '../limits.ts';

/** What an {@link Outbox} works with. */
export interface OutboxOptions {
  readonly bus: Bus;
  /** Of the peer. */
  readonly subject: string;
  readonly task: number;
  /** Index of this shard. */
  readonly sender: number;
  readonly clock: Clock;
  readonly sections: SectionWriter;
  /** The peer cannot go on with the search. */
  readonly onFailed: (error: NiobeError) => void;
}

interface Part {
  readonly frame: Uint8Array;
  readonly step: number;
}

/**
 * What one shard tells another in a search: parts in order, some of them in flight at once, each sent again until it is acknowledged or
 * the search ends. What waits is part of the search's budget of bytes.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting: Part[] = [];
  readonly #startMs: number;
  readonly #out = new ByteWriter(PART_BYTES_MAX);
  #isPartBegun = false;
  #step = 0;
  #part = 0;
  #inFlight = 0;
  #waitingBytes = 0;
  #closed = false;
  /** Bytes of all parts so far. */
  sentBytes = 0;
  /** Parts so far. */
  sentParts = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#startMs = options.clock.monotonicMs();
  }

  /** Bytes that were not acknowledged yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  beginStep(step: number): void {
    this.#step = step;
    this.#part = 0;
  }

  /** Appends a section; see `SectionWriter.write`. */
  section(high: number, slots: Uint32Array, counts: Uint32Array | null, from: number, to: number): void {
    if (!this.#isPartBegun) this.#begin();
    this.#options.sections.write(this.#out, high, slots, counts, from, to);
    if (this.#out.length >= PART_BYTES) this.#close(null);
  }

  /** Ends the step; an empty part says so where there was nothing to tell. */
  endStep(totals: StepTotals): void {
    if (!this.#isPartBegun) this.#begin();
    this.#close(totals);
  }

  /** The search is over: what was not acknowledged does not matter any more. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  #begin(): void {
    beginPart(this.#out, this.#options.task, this.#options.sender, this.#step, this.#part);
    this.#isPartBegun = true;
  }

  #close(totals: StepTotals | null): void {
    const frame = endPart(this.#out, totals);
    this.#isPartBegun = false;
    this.#part += 1;
    if (this.#part >= PARTS_MAX)
      throw new NiobeError('TOO_LARGE', `one step of a search exceeds ${PARTS_MAX} messages to one shard`);
    this.#waiting.push({ frame, step: this.#step });
    this.#waitingBytes += frame.length;
    this.sentBytes += frame.length;
    this.sentParts += 1;
    this.#pump();
  }

  #pump(): void {
    while (!this.#closed && this.#inFlight < PARTS_IN_FLIGHT) {
      const part = this.#waiting.shift();
      if (part === undefined) return;
      this.#inFlight += 1;
      void this.#deliver(part);
    }
  }

  async #deliver(part: Part): Promise<void> {
    while (!this.#closed && !(await this.#attempt(part))) await delay(this.#options.clock, PART_PAUSE_MS);
    this.#inFlight -= 1;
    if (this.#closed) return;
    this.#waitingBytes -= part.frame.length;
    this.#pump();
  }

  /** True if the part need not be sent again. */
  async #attempt({ frame, step }: Part): Promise<boolean> {
    const { bus, subject, onFailed } = this.#options;
    try {
      openReply(await bus.request(subject, frame, { deadlineMs: PART_ATTEMPT_MS }), TraverseKind.FRONTIER);
      return true;
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      if (this.#isPassing(error, step)) return false;
      if (!this.#closed) onFailed(error);
      return true;
    }
  }

  /** Whether the same part may be taken a moment later. */
  #isPassing(error: NiobeError, step: number): boolean {
    if (PASSING.includes(error.code)) return true;
    const isEarly = this.#options.clock.monotonicMs() - this.#startMs < START_GRACE_MS;
    return error.code === 'SEARCH_LOST' && step === 1 && isEarly;
  }
}

const PASSING: readonly ErrorCode[] = ['DEADLINE', 'UNKNOWN', 'UNAVAILABLE', 'BUSY'];
