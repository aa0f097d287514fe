import { isBinaryMode, type AcceptedEvent, type HttpHeaders, type RecordWriter } from '@niobe/events';
import { ERROR_CODES, isNiobeError, NiobeError, type Counter, type ErrorCode, type Meter } from '@niobe/kernel';
import { parseJson } from '@niobe/service';
import { judgeArray, judgeLines, type JudgedBatch, type Rejection } from './batch.ts';
import { BodyBudget } from './body-budget.ts';
import { BODIES_BYTES_LIMIT, QUEUE_BYTES_LIMIT } from './limits.ts';
import { queueFull, type WriteQueue } from './write-queue.ts';

/** The collector without HTTP: takes the bodies of requests, and ends when the log has what it took. */

/** Answer to a batch. */
export interface BatchAnswer {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
}

/** What a {@link Collector} stands on. */
export interface CollectorParts {
  readonly writer: RecordWriter;
  readonly queue: WriteQueue;
  readonly meter: Meter;
}

/** See the head of this file. */
export class Collector {
  readonly #writer: RecordWriter;
  readonly #queue: WriteQueue;
  readonly #accepted: Counter;
  readonly #rejected: ReadonlyMap<ErrorCode, Counter>;
  /** Bound of the bodies of requests in progress. */
  readonly budget: BodyBudget = new BodyBudget();
  #draining = false;

  constructor({ writer, queue, meter }: CollectorParts) {
    this.#writer = writer;
    this.#queue = queue;
    this.#accepted = meter.counter('events_accepted_total', 'Events the log has acknowledged.');
    this.#rejected = new Map(ERROR_CODES.map((code) => [code, rejectedCounter(meter, code)]));
    meter.gauge('queue_bytes', 'Bytes of records that wait for acknowledgement.', () => queue.bytes);
    meter.gauge('queue_limit_bytes', 'Bound of queue_bytes; beyond it requests get 503.', () => QUEUE_BYTES_LIMIT);
    meter.gauge('bodies_bytes', 'Bytes reserved for bodies of requests in progress.', () => this.budget.bytes);
    meter.gauge('bodies_limit_bytes', 'Bound of bodies_bytes; beyond it requests get 503.', () => BODIES_BYTES_LIMIT);
  }

  /** Why a request cannot be taken now, before anything of it is read; null if it can. */
  refusal(): NiobeError | null {
    if (this.#draining)
      return new NiobeError('NOT_READY', 'the collector is about to end; send again', { retryAfterMs: 1000 });
    return this.#queue.isFull ? queueFull() : null;
  }

  /** Takes one event and returns its id. Throws what {@link RecordWriter} and {@link WriteQueue} throw, and `MALFORMED`. */
  async takeEvent(headers: HttpHeaders, body: Buffer): Promise<string> {
    try {
      const event = this.#readEvent(headers, body);
      await this.#queue.write([event]);
      this.#accepted.add(1);
      return event.id;
    } catch (error) {
      this.#countRejection(error, 1);
      throw error;
    }
  }

  #readEvent(headers: HttpHeaders, body: Buffer): AcceptedEvent {
    const json = parseJson(body);
    return isBinaryMode(headers)
      ? this.#writer.fromBinary(headers, body.toString(), json)
      : this.#writer.fromJson(json);
  }

  /** Takes the events of a JSON array. */
  takeArray(body: Buffer): Promise<BatchAnswer> {
    return this.#takeBatch(() => judgeArray(body, this.#writer));
  }

  /** Takes the events of NDJSON. */
  takeLines(body: Buffer): Promise<BatchAnswer> {
    return this.#takeBatch(() => judgeLines(body, this.#writer));
  }

  async #takeBatch(judge: () => JudgedBatch): Promise<BatchAnswer> {
    let taken = 1;
    try {
      const { accepted, rejected } = judge();
      for (const { code } of rejected) this.#rejected.get(code)!.add(1);
      taken = accepted.length;
      if (taken > 0) await this.#queue.write(accepted);
      this.#accepted.add(taken);
      return { accepted: taken, rejected };
    } catch (error) {
      this.#countRejection(error, taken);
      throw error;
    }
  }

  #countRejection(error: unknown, events: number): void {
    if (isNiobeError(error)) this.#rejected.get(error.code)!.add(events);
  }

  /** Refuses what comes from now on and ends when what came before is answered. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#queue.drain();
  }
}

function rejectedCounter(meter: Meter, code: ErrorCode): Counter {
  return meter.counter('events_rejected_total', 'Events that were not taken, by code; an unreadable request is one.', {
    code,
  });
}
