import {
  BoundedQueue,
  deferred,
  isNiobeError,
  NiobeError,
  type Clock,
  type Deferred,
  type Random,
  type Timer,
} from '@niobe/kernel';
import type { Bus, BusMessage, BusStatus, RequestOptions, Subscription } from './bus.ts';
import { MESSAGE_BYTES_MAX, REQUESTS_IN_FLIGHT_MAX, WAITING_BYTES_MAX } from './limits.ts';

/**
 * The twin of the wire: buses of one process that share a {@link MemoryNetwork}. Delivery is asynchronous and copies bytes, as a
 * socket would; faults come from a seeded source, so that a seed replays a run.
 */

/** What a network does to messages; every chance is in 0..1. */
export interface NetworkFaults {
  readonly dropChance?: number;
  readonly duplicateChance?: number;
  /** Chance that a message is held back for up to {@link delayMsMax}, so that it may be overtaken. */
  readonly delayChance?: number;
  readonly delayMsMax?: number;
}

/** What a {@link MemoryNetwork} needs; faults need `random`. */
export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly random?: Random;
  readonly faults?: NetworkFaults;
}

const IN_TRANSIT_MAX = 65_536;

type Handler = (message: BusMessage) => void;

interface Listener {
  readonly bus: MemoryBus;
  readonly handler: Handler;
}

/** Where {@link MemoryBus}es meet. */
export class MemoryNetwork {
  readonly clock: Clock;
  readonly #random: Random | null;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #transit: BoundedQueue<() => void> = new BoundedQueue(IN_TRANSIT_MAX, WAITING_BYTES_MAX);
  #faults: NetworkFaults;
  #draining = false;

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock;
    this.#random = options.random ?? null;
    this.#faults = options.faults ?? {};
  }

  /** A new participant. */
  connect(): MemoryBus {
    return new MemoryBus(this);
  }

  /** From now on the network does this to messages. */
  setFaults(faults: NetworkFaults): void {
    this.#faults = faults;
  }

  listen(subject: string, listener: Listener): void {
    const listeners = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, listeners.add(listener));
  }

  unlisten(subject: string, listener: Listener): void {
    const listeners = this.#listeners.get(subject);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(subject);
  }

  /** Those who hear `subject` now. */
  *hearers(subject: string): Iterable<Listener> {
    for (const listener of this.#listeners.get(subject) ?? [])
      if (listener.bus.status() === 'connected') yield listener;
  }

  /** Lets `arrive` happen later, with the network's faults; `BUSY` if too much is under way. */
  carry(bytes: number, arrive: () => void): void {
    if (this.#happens(this.#faults.dropChance)) return;
    this.#send(bytes, arrive);
    if (this.#happens(this.#faults.duplicateChance)) this.#send(bytes, arrive);
  }

  /** As {@link carry}, but what finds no room is lost, as on any wire: whoever answers can do nothing about it. */
  carryReply(bytes: number, arrive: () => void): void {
    try {
      this.carry(bytes, arrive);
    } catch (error) {
      if (!isNiobeError(error, 'BUSY')) throw error;
    }
  }

  #send(bytes: number, arrive: () => void): void {
    if (this.#happens(this.#faults.delayChance)) {
      this.clock.after(this.#random!.below(Math.max(1, this.#faults.delayMsMax ?? 1)) + 1, arrive);
      return;
    }
    if (!this.#transit.push(arrive, bytes))
      throw new NiobeError('BUSY', 'the network has too much under way', { retryAfterMs: 10 });
    if (this.#draining) return;
    this.#draining = true;
    this.clock.soon(() => this.#drain());
  }

  /** What was sent before this turn arrives in it; what arrivals send goes to the next. */
  #drain(): void {
    this.#draining = false;
    for (let left = this.#transit.length; left > 0; left--) this.#transit.shift()!();
    if (this.#transit.length === 0 || this.#draining) return;
    this.#draining = true;
    this.clock.soon(() => this.#drain());
  }

  #happens(chance: number | undefined): boolean {
    return chance !== undefined && chance > 0 && this.#random !== null && this.#random.next() < chance;
  }
}

interface Asked {
  readonly answer: Deferred<Uint8Array>;
  readonly timer: Timer;
}

/** One participant of a {@link MemoryNetwork}; the twin of a NATS connection. */
export class MemoryBus implements Bus {
  readonly maxPayloadBytes: number = MESSAGE_BYTES_MAX;
  readonly #network: MemoryNetwork;
  readonly #asked = new Set<Asked>();
  readonly #statusListeners = new Set<(status: BusStatus) => void>();
  readonly #subscriptions = new Set<Subscription>();
  #status: BusStatus = 'connected';
  #closed = false;

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  async request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    this.#checkSend(payload);
    const [listener] = this.#network.hearers(subject);
    if (listener === undefined) throw new NiobeError('UNAVAILABLE', `nobody listens on ${subject}`);
    if (this.#asked.size >= REQUESTS_IN_FLIGHT_MAX)
      throw new NiobeError('BUSY', `${this.#asked.size} requests are in flight`, { retryAfterMs: 10 });
    const asked = this.#ask(subject, options.deadlineMs);
    try {
      this.#carryRequest(listener, subject, payload, asked);
      return await asked.answer.promise;
    } finally {
      asked.timer.cancel();
      this.#asked.delete(asked);
    }
  }

  publish(subject: string, payload: Uint8Array): void {
    this.#checkSend(payload);
    for (const listener of this.#network.hearers(subject))
      this.#network.carry(payload.length, () => this.#deliver(listener, subject, payload, () => undefined));
  }

  subscribe(subject: string, handler: Handler): Subscription {
    this.#checkOpen();
    const listener = { bus: this, handler };
    this.#network.listen(subject, listener);
    const subscription = {
      close: (): void => {
        this.#network.unlisten(subject, listener);
        this.#subscriptions.delete(subscription);
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  status(): BusStatus {
    return this.#closed ? 'disconnected' : this.#status;
  }

  onStatus(listener: (status: BusStatus) => void): Timer {
    this.#statusListeners.add(listener);
    return { cancel: () => void this.#statusListeners.delete(listener) };
  }

  /** Breaks the connection, as a killed server would: what is in flight ends with `UNKNOWN`. */
  disconnect(): void {
    this.#turn('disconnected');
    this.#fail(new NiobeError('UNKNOWN', 'the connection broke while the request was in flight'));
  }

  reconnect(): void {
    this.#turn('connected');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.close();
    this.#fail(new NiobeError('CLOSED', 'the bus was closed while the request was in flight'));
    this.#turn('disconnected');
  }

  #ask(subject: string, deadlineMs: number): Asked {
    const answer = deferred<Uint8Array>();
    const late = (): void =>
      answer.reject(new NiobeError('DEADLINE', `no answer from ${subject} within ${deadlineMs} ms`));
    const asked = { answer, timer: this.#network.clock.after(deadlineMs, late) };
    this.#asked.add(asked);
    return asked;
  }

  #carryRequest(listener: Listener, subject: string, payload: Uint8Array, asked: Asked): void {
    const takeReply = (reply: Uint8Array): void => {
      if (reply.length > this.maxPayloadBytes) throw tooLarge(reply, this.maxPayloadBytes);
      this.#network.carryReply(reply.length, () => {
        if (this.#asked.has(asked)) asked.answer.resolve(reply.slice());
      });
    };
    this.#network.carry(payload.length, () => this.#deliver(listener, subject, payload, takeReply));
  }

  #deliver(listener: Listener, subject: string, payload: Uint8Array, takeReply: (reply: Uint8Array) => void): void {
    if (listener.bus.status() !== 'connected') return;
    let answered = false;
    listener.handler({
      subject,
      payload: payload.slice(),
      reply: (reply) => {
        if (answered || listener.bus.status() !== 'connected') return;
        answered = true;
        takeReply(reply);
      },
    });
  }

  #checkOpen(): void {
    if (this.#closed) throw new NiobeError('CLOSED', 'the bus is closed');
  }

  #checkSend(payload: Uint8Array): void {
    this.#checkOpen();
    if (this.#status === 'disconnected') throw new NiobeError('UNAVAILABLE', 'the bus is not connected');
    if (payload.length > this.maxPayloadBytes) throw tooLarge(payload, this.maxPayloadBytes);
  }

  #turn(status: BusStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#statusListeners) listener(status);
  }

  #fail(error: NiobeError): void {
    for (const asked of this.#asked) asked.answer.reject(error);
  }
}

function tooLarge(payload: Uint8Array, maxBytes: number): NiobeError {
  return new NiobeError('TOO_LARGE', `a message of ${payload.length} bytes exceeds ${maxBytes}`, { maxBytes });
}
