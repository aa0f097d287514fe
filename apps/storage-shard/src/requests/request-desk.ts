import { BoundedQueue, NiobeError, type Clock } from '@niobe/kernel';
import { malformedFrame, type BusMessage } from '@niobe/grid';
import {
  BUSY_RETRY_MS,
  QUEUE_BYTES_MAX,
  QUEUE_REQUESTS_MAX,
  REQUEST_OVERHEAD_BYTES,
  REQUEST_SLICE_MS,
} from '../limits.ts';

/**
 * Where requests arrive. The bus only puts them into a bounded queue; the work is done in slices, so that a flood of requests never
 * keeps the thread from sockets and timers, and all that arrived in one turn of the loop shares its commits' shipping bundle.
 *
 * Between the slices `betweenSlices` does background work (scans, the cleaner) and says whether more of it waits.
 */

/** A request frame and who waits for its answer. */
export interface ArrivedRequest {
  readonly message: BusMessage;
  /** Monotonic time of its arrival: the asker's deadline counts from here. */
  readonly arrivedMs: number;
}

/** Executes one request; may answer later. Throws `NiobeError` for a frame that cannot be read. */
export type ExecuteRequest = (request: ArrivedRequest) => void;

/** See the head of this file. */
export class RequestDesk {
  readonly #clock: Clock;
  readonly #execute: ExecuteRequest;
  readonly #betweenSlices: () => boolean;
  readonly #queue = new BoundedQueue<ArrivedRequest>(QUEUE_REQUESTS_MAX, QUEUE_BYTES_MAX);
  #isAwake = false;
  #closed = false;
  /** Requests refused because the queue was full. */
  refused = 0;

  constructor(clock: Clock, execute: ExecuteRequest, betweenSlices: () => boolean) {
    this.#clock = clock;
    this.#execute = execute;
    this.#betweenSlices = betweenSlices;
  }

  /** Bytes that wait, with an overhead for each request. */
  get waitingBytes(): number {
    return this.#queue.bytes;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes a message of the bus, or refuses it with `BUSY`. */
  arrive(message: BusMessage): void {
    if (this.#closed) return refuse(message, new NiobeError('NOT_READY', 'this shard is about to end'));
    const request = { message, arrivedMs: this.#clock.monotonicMs() };
    if (!this.#queue.push(request, message.payload.length + REQUEST_OVERHEAD_BYTES)) {
      this.refused += 1;
      const details = { retryAfterMs: BUSY_RETRY_MS };
      return refuse(message, new NiobeError('BUSY', 'too many requests wait at this shard', details));
    }
    this.wake();
  }

  /** Makes sure a slice comes soon. */
  wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#clock.soon(() => this.#slice());
  }

  /** Refuses what arrives from now on; what waits is still executed. */
  close(): void {
    this.#closed = true;
  }

  #slice(): void {
    this.#isAwake = false;
    const endMs = this.#clock.monotonicMs() + REQUEST_SLICE_MS;
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      this.#one(request);
      if (this.#clock.monotonicMs() >= endMs) break;
    }
    if (this.#betweenSlices() || this.#queue.length > 0) this.wake();
  }

  #one(request: ArrivedRequest): void {
    try {
      this.#execute(request);
    } catch (error) {
      if (!(error instanceof NiobeError)) throw error;
      request.message.reply(malformedFrame(request.message.payload, error));
    }
  }
}

/** Answers the whole of a request with an error. */
function refuse(message: BusMessage, error: NiobeError): void {
  message.reply(malformedFrame(message.payload, error));
}
