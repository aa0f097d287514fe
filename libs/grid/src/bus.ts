import type { Timer } from '@niobe/kernel';

/**
 * The wire between services: at most once, in order between two ends, up to {@link Bus.maxPayloadBytes} a message.
 *
 * 1. A message may be lost, and a request with it: every request has a deadline, and its end by `DEADLINE` or `UNKNOWN` says nothing
 *    about whether the other side acted.
 * 2. Bytes given to the bus belong to it: the sender must not change them afterwards. Bytes received are shared with nobody.
 * 3. A handler is called once per message, must not throw (that ends the process) and must not hold the thread.
 */

/** Whether messages can travel now. */
export type BusStatus = 'connected' | 'disconnected';

/** A message that arrived. */
export interface BusMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  /**
   * Answers a request, once; without effect for a published message, when it was answered, or when the wire is broken. Throws
   * `TOO_LARGE` above {@link Bus.maxPayloadBytes}.
   */
  reply(payload: Uint8Array): void;
}

/** A standing interest in a subject. */
export interface Subscription {
  close(): void;
}

/** Bounds of one request. */
export interface RequestOptions {
  /** Milliseconds from now after which the caller gets `DEADLINE`. */
  readonly deadlineMs: number;
}

/** Publish, request and subscribe. Twin: `MemoryBus`; real: `@niobe/nats`. */
export interface Bus {
  /** Longest message; longer ones are refused with `TOO_LARGE`. */
  readonly maxPayloadBytes: number;
  /**
   * Sends and waits for the answer. `UNAVAILABLE`: not connected, or nobody listens, so nothing was done. `UNKNOWN`: the connection
   * broke in between. `DEADLINE`: no answer in time. `BUSY`: too much in flight; nothing was sent.
   */
  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array>;
  /** Sends to whoever listens. Throws `UNAVAILABLE` when not connected. */
  publish(subject: string, payload: Uint8Array): void;
  /** Calls `handler` for each message of exactly this subject, also after reconnects. */
  subscribe(subject: string, handler: (message: BusMessage) => void): Subscription;
  status(): BusStatus;
  /** Calls `listener` at each change of status, until cancelled. */
  onStatus(listener: (status: BusStatus) => void): Timer;
  /** Fails what is in flight with `CLOSED` and ends. */
  close(): Promise<void>;
}
