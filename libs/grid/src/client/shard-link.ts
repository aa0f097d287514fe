import { BoundedQueue, deferred, NiobeError, type Clock, type Deferred } from '@niobe/kernel';
import type { Bus } from '../bus.ts';
import { GetFrameBuilder } from '../frames/get.ts';
import { stampRequest } from '../frames/header.ts';
import { WriteFrameBuilder } from '../frames/write-request.ts';
import { WAITING_BYTES_MAX, WAITING_FRAMES_MAX, WINDOW_BYTES, WINDOW_REQUESTS } from '../limits.ts';
import { ATTEMPT_MS } from './retry-policy.ts';

interface Waiting {
  readonly frame: Uint8Array;
  readonly endMs: number;
  readonly patient: boolean;
  readonly answer: Deferred<Uint8Array>;
}

/**
 * The way to one shard: at most {@link WINDOW_REQUESTS} requests and {@link WINDOW_BYTES} in flight, what exceeds that waits its turn,
 * and what would exceed the waiting room is refused with `BUSY`.
 */
export class ShardLink {
  /** For whoever fills frames to this shard; not to be kept over an await. */
  readonly getFrame: GetFrameBuilder = new GetFrameBuilder();
  readonly writeFrame: WriteFrameBuilder = new WriteFrameBuilder();
  readonly #bus: Bus;
  readonly #subject: string;
  readonly #clock: Clock;
  readonly #waiting: BoundedQueue<Waiting> = new BoundedQueue(WAITING_FRAMES_MAX, WAITING_BYTES_MAX);
  #inFlight = 0;
  #inFlightBytes = 0;
  #serial = 0;

  constructor(bus: Bus, subject: string, clock: Clock) {
    this.#bus = bus;
    this.#subject = subject;
    this.#clock = clock;
  }

  /** Bytes that wait for their turn. */
  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  /** Bytes under way. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /**
   * Sends a frame, once, when it is its turn and gives back the reply frame. Errors are those of {@link Bus.request}.
   *
   * @param endMs monotonic time at which the caller gives up.
   * @param patient wait for one answer until `endMs`; otherwise for {@link ATTEMPT_MS} at most.
   */
  send(frame: Uint8Array, endMs: number, patient: boolean): Promise<Uint8Array> {
    if (this.#waiting.length === 0 && this.#fits(frame)) return this.#request(frame, endMs, patient);
    const waiting = { frame, endMs, patient, answer: deferred<Uint8Array>() };
    if (!this.#waiting.push(waiting, frame.length)) return Promise.reject(this.#busy());
    return waiting.answer.promise;
  }

  #fits(frame: Uint8Array): boolean {
    if (this.#inFlight === 0) return true;
    return this.#inFlight < WINDOW_REQUESTS && this.#inFlightBytes + frame.length <= WINDOW_BYTES;
  }

  async #request(frame: Uint8Array, endMs: number, patient: boolean): Promise<Uint8Array> {
    const leftMs = endMs - this.#clock.monotonicMs();
    if (leftMs <= 0) throw new NiobeError('DEADLINE', `the time was up before ${this.#subject} could be asked`);
    const deadlineMs = Math.ceil(patient ? leftMs : Math.min(leftMs, ATTEMPT_MS));
    this.#serial = (this.#serial + 1) >>> 0;
    stampRequest(frame, this.#serial, deadlineMs);
    this.#inFlight += 1;
    this.#inFlightBytes += frame.length;
    try {
      return await this.#bus.request(this.#subject, frame, { deadlineMs });
    } finally {
      this.#inFlight -= 1;
      this.#inFlightBytes -= frame.length;
      this.#pump();
    }
  }

  #pump(): void {
    for (let next = this.#waiting.peek(); next !== undefined && this.#fits(next.frame); next = this.#waiting.peek()) {
      this.#waiting.shift();
      void this.#requestFor(next);
    }
  }

  async #requestFor({ frame, endMs, patient, answer }: Waiting): Promise<void> {
    try {
      answer.resolve(await this.#request(frame, endMs, patient));
    } catch (error) {
      answer.reject(error);
    }
  }

  #busy(): NiobeError {
    const message = `${this.#waiting.length} frames of ${this.#waiting.bytes} bytes wait for ${this.#subject}`;
    return new NiobeError('BUSY', message, { retryAfterMs: 100 });
  }
}
