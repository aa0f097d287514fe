import type { AcceptedEvent, EventProducer, OutgoingRecord } from '@niobe/events';
import {
  deferred,
  messageOf,
  NiobeError,
  type Clock,
  type Deferred,
  type Histogram,
  type Logger,
  type Timer,
} from '@niobe/kernel';
import { ACKNOWLEDGE_DEADLINE_MS, LINGER_MS, QUEUE_BYTES_LIMIT, RETRY_AFTER_MS, WRITE_BYTES_LIMIT } from './limits.ts';

/**
 * Between requests and the log: joins the records of many requests into few writes, and holds what waits within a bound.
 *
 * Each topic is a lane of its own with one write under way, so that records with one key stay in order; what comes meanwhile makes the
 * next write larger, and on an idle lane a record lingers a few milliseconds for company. An event is acknowledged when the write that
 * holds it is. When the log is away or slow the queue fills, and what finds no room is refused: nothing is dropped, nothing grows.
 *
 * A write that misses its deadline is answered with 503 although the log may still take it; sent again with the same id it counts once.
 */
export class WriteQueue {
  readonly #parts: WriteQueueParts;
  readonly #lanes = new Map<string, Lane>();
  #bytes = 0;

  constructor(parts: WriteQueueParts) {
    this.#parts = parts;
  }

  /** Bytes of records that wait for acknowledgement. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True if not even a small event would find room. */
  get isFull(): boolean {
    return this.#bytes >= QUEUE_BYTES_LIMIT;
  }

  /** Ends when the log has acknowledged all of `events`. Throws `BUSY` and takes none of them when the queue is full, else `UNAVAILABLE`. */
  async write(events: readonly AcceptedEvent[]): Promise<void> {
    let bytes = 0;
    for (const event of events) bytes += event.bytes;
    if (this.#bytes > 0 && this.#bytes + bytes > QUEUE_BYTES_LIMIT) throw queueFull();
    this.#bytes += bytes;
    let last: Write | null = null;
    const writes: Write[] = [];
    for (const event of events) {
      const write = this.#laneOf(event.topic).add(event);
      if (write !== last) writes.push(write);
      last = write;
    }
    for (const write of writes) await write.acknowledged.promise;
  }

  /** Ends when nothing waits any more. */
  async drain(): Promise<void> {
    for (const lane of this.#lanes.values()) await lane.drain();
  }

  #laneOf(topic: string): Lane {
    const present = this.#lanes.get(topic);
    if (present !== undefined) return present;
    const lane = new Lane(topic, this.#parts, (bytes) => (this.#bytes -= bytes));
    this.#lanes.set(topic, lane);
    return lane;
  }
}

/** What a {@link WriteQueue} stands on. */
export interface WriteQueueParts {
  readonly producer: EventProducer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Seconds from the first record of a write to its acknowledgement. */
  readonly writeSeconds: Histogram;
}

/** Records that are written together. */
interface Write {
  readonly records: OutgoingRecord[];
  readonly acknowledged: Deferred<void>;
  readonly openedMs: number;
  readonly deadline: Timer;
  bytes: number;
  /** Its deadline passed: its requests were answered. */
  expired: boolean;
}

/** Writes of one topic, first come first served. */
class Lane {
  readonly #topic: string;
  readonly #parts: WriteQueueParts;
  readonly #release: (bytes: number) => void;
  /** The last one is open for more. */
  #writes: Write[] = [];
  #writing: Promise<void> | null = null;
  #linger: Timer | null = null;

  constructor(topic: string, parts: WriteQueueParts, release: (bytes: number) => void) {
    this.#topic = topic;
    this.#parts = parts;
    this.#release = release;
  }

  add(event: AcceptedEvent): Write {
    let write = this.#writes.at(-1);
    if (write === undefined || write.bytes + event.bytes > WRITE_BYTES_LIMIT) write = this.#open();
    write.records.push(event.record);
    write.bytes += event.bytes;
    return write;
  }

  #open(): Write {
    const { clock } = this.#parts;
    const write: Write = {
      records: [],
      acknowledged: deferred(),
      openedMs: clock.monotonicMs(),
      deadline: clock.after(ACKNOWLEDGE_DEADLINE_MS, () => this.#expire(write), true),
      bytes: 0,
      expired: false,
    };
    this.#writes.push(write);
    if (this.#writing === null) this.#linger ??= clock.after(LINGER_MS, () => this.#next());
    return write;
  }

  /** Its requests end. What is not under way yet will not be; what is keeps its bytes until the log has answered. */
  #expire(write: Write): void {
    write.expired = true;
    write.acknowledged.reject(notAcknowledged());
    const waiting = this.#writes.indexOf(write);
    if (waiting < 0) return;
    this.#writes.splice(waiting, 1);
    this.#release(write.bytes);
  }

  #next(): void {
    this.#linger?.cancel();
    this.#linger = null;
    if (this.#writing !== null) return;
    const write = this.#writes.shift();
    if (write === undefined) return;
    this.#writing = this.#send(write).finally(() => {
      this.#writing = null;
      this.#next();
    });
  }

  async #send(write: Write): Promise<void> {
    const { producer, clock, logger, writeSeconds } = this.#parts;
    try {
      await producer.send(this.#topic, write.records);
      write.acknowledged.resolve();
      writeSeconds.observe((clock.monotonicMs() - write.openedMs) / 1000);
    } catch (error) {
      logger.warn({ topic: this.#topic, records: write.records.length, error: messageOf(error) }, 'a write failed');
      write.acknowledged.reject(notAcknowledged(error));
    } finally {
      write.deadline.cancel();
      this.#release(write.bytes);
    }
  }

  async drain(): Promise<void> {
    while (this.#writing !== null || this.#writes.length > 0) {
      this.#next();
      await this.#writing;
    }
  }
}

/** The refusal of what finds no room. */
export function queueFull(): NiobeError {
  return new NiobeError('BUSY', `${QUEUE_BYTES_LIMIT} bytes of events wait for the log already; send again later`, {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function notAcknowledged(cause?: unknown): NiobeError {
  return new NiobeError(
    'UNAVAILABLE',
    'the log did not acknowledge in time; send again with the same id, which counts once if it was written after all',
    { retryAfterMs: RETRY_AFTER_MS },
    cause,
  );
}
