import { BoundedQueue, isNiobeError, NiobeError, type Clock } from '@niobe/kernel';
import type { SchemaTable } from '@niobe/cells';
import { failureFrame, memoryReply, readMemoryRequest, refusalOf, type MemoryRequest } from '@niobe/grid';
import { MemorySurvey, type Arena, type MemoryReport } from '@niobe/store';
import { BUSY_RETRY_MS, SURVEY_SLICE_MS, SURVEYS_MAX } from '../limits.ts';
import type { Seats } from '../partitions/seats.ts';
import type { ArrivedRequest } from '../requests/request-desk.ts';
import { remainingMs } from './deadline.ts';

/**
 * MEMORY: what the cells of this shard take, as a frame and over HTTP.
 *
 * A survey looks at every cell, so surveys wait in a queue of their own and are made one at a time, in slices between other requests.
 */
export class MemoryHandler {
  readonly #parts: MemoryParts;
  readonly #queue = new BoundedQueue<WantedReport>(SURVEYS_MAX);
  #running: RunningSurvey | null = null;

  constructor(parts: MemoryParts) {
    this.#parts = parts;
  }

  /** Takes a MEMORY frame for later. Throws `BUSY`. */
  handle(request: ArrivedRequest): void {
    const frame = readMemoryRequest(request.message.payload);
    remainingMs(this.#parts.clock, request, frame.header);
    const reply = (bytes: Uint8Array): void => request.message.reply(bytes);
    this.#want({
      largest: frame.largest,
      give: (report) => reply(replyOf(frame, report)),
      refuse: (error) => reply(failureFrame(frame.header.client, frame.header.serial, refusalOf(error))),
    });
  }

  /** A report with the `largest` cells. Rejects with `BUSY`, or `CLOSED` where the shard ends before. */
  ask(largest: number): Promise<MemoryReport> {
    return new Promise((resolve, reject) => this.#want({ largest, give: resolve, refuse: reject }));
  }

  #want(wanted: WantedReport): void {
    if (!this.#queue.push(wanted))
      throw new NiobeError('BUSY', 'too many memory reports are wanted', { retryAfterMs: BUSY_RETRY_MS });
    this.#parts.wake();
  }

  /** Reports that wait or are being made. */
  get waiting(): number {
    return this.#queue.length + (this.#running === null ? 0 : 1);
  }

  /** One slice. True if more is to be done. */
  slice(): boolean {
    this.#running ??= this.#next();
    if (this.#running?.survey.slice(SURVEY_SLICE_MS) === true) {
      const { wanted, survey } = this.#running;
      this.#running = null;
      wanted.give(survey.report());
    }
    return this.waiting > 0;
  }

  #next(): RunningSurvey | null {
    const wanted = this.#queue.shift();
    if (wanted === undefined) return null;
    const { arena, seats, schemas, clock } = this.#parts;
    const { largest } = wanted;
    const survey = new MemorySurvey({ arena, stores: () => seats.stores(), schemas, clock, largest });
    return { wanted, survey };
  }

  /** Refuses what waits. */
  close(): void {
    const error = new NiobeError('CLOSED', 'the shard is ending');
    this.#running?.wanted.refuse(error);
    this.#running = null;
    for (let wanted = this.#queue.shift(); wanted !== undefined; wanted = this.#queue.shift()) wanted.refuse(error);
  }
}

/** What a {@link MemoryHandler} works with. */
export interface MemoryParts {
  readonly arena: Arena;
  readonly seats: Seats;
  readonly schemas: SchemaTable;
  readonly clock: Clock;
  /** Makes sure a slice comes soon. */
  readonly wake: () => void;
}

interface WantedReport {
  readonly largest: number;
  readonly give: (report: MemoryReport) => void;
  readonly refuse: (error: NiobeError) => void;
}

interface RunningSurvey {
  readonly wanted: WantedReport;
  readonly survey: MemorySurvey;
}

/** The reply with a report, or with the refusal of one that is too long for a frame. */
function replyOf({ header }: MemoryRequest, report: MemoryReport): Uint8Array {
  try {
    return memoryReply(header, report);
  } catch (error) {
    if (!isNiobeError(error)) throw error;
    return failureFrame(header.client, header.serial, refusalOf(error));
  }
}
