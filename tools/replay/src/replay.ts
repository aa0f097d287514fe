import { delay, type Clock } from '@niobe/kernel';
import type { Rejection } from '@niobe/tool-clickgen';
import type { EventBatch } from './event-batches.ts';
import type { ReplayEvent } from './row-mapper.ts';

/**
 * Sends batches to a sink, several at a time, and knows at each moment which rows from the start of the file are all done.
 *
 * That number is what an interrupted replay continues from. Batches behind it that were also acknowledged are then sent a second
 * time, which their ids make harmless.
 */

/** Where events go; resolves with what was refused for good, once everything else is acknowledged. */
export interface EventSink {
  post(events: readonly ReplayEvent[]): Promise<readonly Rejection[]>;
  /** Why it waits; empty while all goes well. */
  readonly trouble: string;
  /** Gives up what waits. */
  close(): void | Promise<void>;
}

/** A row of the file that did not become an acknowledged event. */
export interface Refusal {
  /** Data row, from 1. */
  readonly row: number;
  readonly reason: string;
}

export interface ReplayOptions {
  readonly sink: EventSink;
  readonly clock: Clock;
  /** Rows a second; `Infinity` sends as fast as the sink takes. */
  readonly ratePerSecond: number;
  /** Called whenever {@link Replay.rowsDone} rose. */
  readonly onProgress?: (replay: Replay) => void;
}

/** Batches that wait for an answer at a time. */
export const WINDOW_BATCHES = 8;
/** Refusals that are kept to be shown; the rest is counted. */
const REFUSALS_KEPT = 10;

export class Replay {
  readonly #options: ReplayOptions;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #doneAhead = new Map<number, EventBatch>();
  readonly #refusals: Refusal[] = [];
  #rowsDone = 0;
  #fileBytesDone = 0;
  #acknowledged = 0;
  #refused = 0;
  #dueMs = 0;
  #stopped = false;
  #failure: unknown = null;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /** Rows from the start of the file that are all acknowledged or refused, those of earlier runs included. */
  get rowsDone(): number {
    return this.#rowsDone;
  }

  /** Bytes of the file behind which {@link rowsDone} lies. */
  get fileBytesDone(): number {
    return this.#fileBytesDone;
  }

  /** Events acknowledged in this run. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Rows that were no event, and events that were refused. */
  get refused(): number {
    return this.#refused;
  }

  /** The first few of {@link refused}. */
  get refusals(): readonly Refusal[] {
    return this.#refusals;
  }

  /** Whether it ended before the end of the file. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Why the sink waits; empty while all goes well. */
  get trouble(): string {
    return this.#options.sink.trouble;
  }

  /** Sends all batches, which begin behind `rowsBefore` rows done earlier. Resolves early after {@link stop}. */
  async run(batches: AsyncIterable<EventBatch>, rowsBefore = 0): Promise<void> {
    this.#rowsDone = rowsBefore;
    this.#dueMs = this.#options.clock.monotonicMs();
    for await (const batch of batches) {
      await this.#admission(batch.rows);
      if (this.#stopped) break;
      const sending = this.#send(batch).finally(() => this.#inFlight.delete(sending));
      this.#inFlight.add(sending);
    }
    await Promise.all(this.#inFlight);
    if (this.#failure !== null) throw this.#failure;
  }

  /** Takes no further batch; {@link run} resolves when those in flight are answered. */
  stop(): void {
    this.#stopped = true;
  }

  /** Waits for room in the window and for the rate. */
  async #admission(rows: number): Promise<void> {
    const { clock, ratePerSecond } = this.#options;
    while (this.#inFlight.size >= WINDOW_BATCHES) await Promise.race(this.#inFlight);
    const nowMs = clock.monotonicMs();
    if (this.#dueMs > nowMs) await delay(clock, this.#dueMs - nowMs);
    this.#dueMs = Math.max(this.#dueMs, nowMs) + (rows * 1000) / ratePerSecond;
  }

  async #send(batch: EventBatch): Promise<void> {
    try {
      const rejections = batch.events.length === 0 ? [] : await this.#options.sink.post(batch.events);
      this.#acknowledged += batch.events.length - rejections.length;
      for (const { row, reason } of batch.refused) this.#refuse(row, reason);
      for (const { index, code, path, detail } of rejections) {
        const { id } = batch.events[index]!;
        this.#refuse(batch.eventRows[index]!, `event ${id}: ${code} ${path} ${detail}`);
      }
      this.#done(batch);
    } catch (error) {
      this.#failure ??= error;
      this.stop();
    }
  }

  #refuse(row: number, reason: string): void {
    this.#refused += 1;
    if (this.#refusals.length < REFUSALS_KEPT) this.#refusals.push({ row, reason });
  }

  #done(batch: EventBatch): void {
    this.#doneAhead.set(batch.rowsBefore, batch);
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) {
      this.#rowsDone += next.rows;
      this.#fileBytesDone = next.fileBytesRead;
    }
    this.#options.onProgress?.(this);
  }

  #takeNext(): EventBatch | undefined {
    const next = this.#doneAhead.get(this.#rowsDone);
    this.#doneAhead.delete(this.#rowsDone);
    return next;
  }
}
