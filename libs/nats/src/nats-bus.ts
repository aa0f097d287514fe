import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { MESSAGE_BYTES_MAX, REQUESTS_IN_FLIGHT_MAX, WAITING_BYTES_MAX } from '@niobe/grid';
import type { Bus, BusMessage, BusStatus, RequestOptions, Subscription } from '@niobe/grid';
import { deferred, ERROR_CODES, isNiobeError, NiobeError, randomHex } from '@niobe/kernel';
import type { Deferred, ErrorCode, Random, Timer } from '@niobe/kernel';
import type { NatsLink } from './nats-link.ts';
import { formatLabel, PART_BYTES, PartAssembler, parseLabel, partCount } from './part-assembler.ts';
import { unswallowed } from './unswallowed.ts';

/**
 * The Bus over NATS.
 *
 * 1. A bus has one inbox, `_INBOX.<identity>.*`; the last token of a reply subject says which request it answers.
 * 2. A message up to {@link PART_BYTES} travels as it is, without headers. A longer one travels in parts with a `Niobe-Part` header;
 *    only the last part carries the reply subject, so that one request has one answer also where nobody listens.
 * 3. A message that could not be put together is answered with a `Niobe-Error` header: nothing was done.
 * 4. When the connection breaks, every request in flight ends with `UNKNOWN` at once. While it is down nothing is sent or queued.
 */

const PART = 'Niobe-Part';
const ERROR = 'Niobe-Error';
const NO_RESPONDERS = 503;
const EMPTY = new Uint8Array(0);
/** Stands for the inbox where subscriptions are told apart. */
const REPLIES = 'inbox';

interface Asked {
  readonly subject: string;
  readonly bytes: number;
  readonly answer: Deferred<Uint8Array>;
  readonly timer: Timer;
}

interface Hearer {
  readonly subject: string;
  /** Tells the subscriptions of one bus apart. */
  readonly key: string;
  readonly handler: (message: BusMessage) => void;
}

/** A bus over one NATS connection. */
export class NatsBus implements Bus {
  readonly maxPayloadBytes: number = MESSAGE_BYTES_MAX;
  readonly #link: NatsLink;
  readonly #identity: string;
  readonly #inbox: string;
  readonly #asked = new Map<string, Asked>();
  readonly #parts: PartAssembler;
  #askedBytes = 0;
  #serial = 0;
  #hearers = 0;
  #closed = false;

  constructor(link: NatsLink, random: Random) {
    this.#link = link;
    this.#identity = randomHex(random, 8);
    this.#inbox = `_INBOX.${this.#identity}.`;
    this.#parts = new PartAssembler(link.clock);
    link.connection.subscribe(`${this.#inbox}*`, {
      callback: (_error, message) => unswallowed(() => this.#takeReply(message)),
    });
    link.onStatus((status) => this.#turned(status));
  }

  async request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    this.#checkSend(payload);
    if (this.#asked.size >= REQUESTS_IN_FLIGHT_MAX || this.#askedBytes + payload.length > WAITING_BYTES_MAX)
      throw new NiobeError('BUSY', `${this.#asked.size} requests with ${this.#askedBytes} bytes are in flight`, {
        retryAfterMs: 10,
      });
    const token = (this.#serial++).toString(36);
    const asked = this.#ask(token, subject, payload.length, options.deadlineMs);
    this.#send(subject, payload, this.#inbox + token);
    return asked.answer.promise;
  }

  publish(subject: string, payload: Uint8Array): void {
    this.#checkSend(payload);
    this.#send(subject, payload, undefined);
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): Subscription {
    this.#checkOpen();
    const hearer = { subject, key: `${this.#hearers++}`, handler };
    const subscription = this.#link.connection.subscribe(subject, {
      callback: (_error, message) => unswallowed(() => this.#deliver(hearer, message)),
    });
    return { close: () => subscription.unsubscribe() };
  }

  status(): BusStatus {
    return this.#closed ? 'disconnected' : this.#link.status();
  }

  onStatus(listener: (status: BusStatus) => void): Timer {
    return this.#link.onStatus(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#failAll(new NiobeError('CLOSED', 'the bus was closed while the request was in flight'));
    await this.#link.close();
  }

  #ask(token: string, subject: string, bytes: number, deadlineMs: number): Asked {
    const late = (): void =>
      this.#fail(token, new NiobeError('DEADLINE', `no answer from ${subject} within ${deadlineMs} ms`));
    const asked = { subject, bytes, answer: deferred<Uint8Array>(), timer: this.#link.clock.after(deadlineMs, late) };
    this.#asked.set(token, asked);
    this.#askedBytes += bytes;
    return asked;
  }

  /** Takes a request out of the books; undefined if it has ended already. */
  #settle(token: string): Asked | undefined {
    const asked = this.#asked.get(token);
    if (asked === undefined) return undefined;
    asked.timer.cancel();
    this.#asked.delete(token);
    this.#askedBytes -= asked.bytes;
    return asked;
  }

  #fail(token: string, error: NiobeError): void {
    this.#settle(token)?.answer.reject(error);
  }

  #failAll(error: NiobeError): void {
    for (const token of this.#asked.keys()) this.#fail(token, error);
    this.#parts.clear();
  }

  #turned(status: BusStatus): void {
    if (status === 'disconnected')
      this.#failAll(new NiobeError('UNKNOWN', 'the connection to NATS broke while the request was in flight'));
  }

  #takeReply(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length);
    const asked = this.#asked.get(token);
    if (asked === undefined) return;
    try {
      const payload = this.#payloadOf(message, asked.subject, REPLIES);
      if (payload !== null) this.#settle(token)!.answer.resolve(payload);
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      this.#fail(token, error);
    }
  }

  /** The whole message that `message` is or completes; null if parts are still to come. Throws what it says of a failure. */
  #payloadOf(message: Msg, subject: string, hearer: string): Uint8Array | null {
    const labels = message.headers;
    if (labels === undefined) return plain(message.data);
    if (labels.code === NO_RESPONDERS) throw new NiobeError('UNAVAILABLE', `nobody listens on ${subject}`);
    const part = labels.get(PART);
    if (part !== '') return this.#takePart(part, message.data, hearer);
    const error = labels.get(ERROR);
    if (error !== '')
      throw new NiobeError(codeOf(error), `${subject} could not take the message: ${error}`, { retryAfterMs: 100 });
    return plain(message.data);
  }

  /** Each hearer puts a message together for itself: two subscriptions of one subject both get every part. */
  #takePart(text: string, bytes: Uint8Array, hearer: string): Uint8Array | null {
    const label = parseLabel(text);
    if (label === null) throw new NiobeError('MALFORMED', 'a part of a message without a readable label');
    return this.#parts.take({ ...label, message: `${hearer} ${label.message}` }, bytes);
  }

  #deliver(hearer: Hearer, message: Msg): void {
    let payload: Uint8Array | null;
    try {
      payload = this.#payloadOf(message, hearer.subject, hearer.key);
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      this.#refuse(message, error);
      return;
    }
    if (payload !== null) hearer.handler(this.#received(hearer.subject, payload, message.reply));
  }

  #received(subject: string, payload: Uint8Array, replyTo: string | undefined): BusMessage {
    let answerable = replyTo !== undefined && replyTo !== '';
    return {
      subject,
      payload,
      reply: (answer) => {
        if (!answerable || this.status() !== 'connected') return;
        answerable = false;
        if (answer.length > this.maxPayloadBytes) throw tooLarge(answer, this.maxPayloadBytes);
        this.#send(replyTo!, answer, undefined);
      },
    };
  }

  #refuse(message: Msg, error: NiobeError): void {
    if (message.reply === undefined || message.reply === '' || this.status() !== 'connected') return;
    this.#link.connection.publish(message.reply, EMPTY, { headers: header(ERROR, error.code) });
  }

  #send(subject: string, payload: Uint8Array, reply: string | undefined): void {
    const { connection } = this.#link;
    if (payload.length <= PART_BYTES) {
      connection.publish(subject, payload, reply === undefined ? undefined : { reply });
      return;
    }
    const message = `${this.#identity}-${(this.#serial++).toString(36)}`;
    const last = partCount(payload.length) - 1;
    for (let index = 0; index <= last; index++) {
      const part = payload.subarray(index * PART_BYTES, (index + 1) * PART_BYTES);
      const label = header(PART, formatLabel({ message, index, totalBytes: payload.length }));
      connection.publish(
        subject,
        part,
        index === last && reply !== undefined ? { headers: label, reply } : { headers: label },
      );
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new NiobeError('CLOSED', 'the bus is closed');
  }

  #checkSend(payload: Uint8Array): void {
    this.#checkOpen();
    if (this.#link.status() === 'disconnected') throw new NiobeError('UNAVAILABLE', 'NATS is not connected');
    if (payload.length > this.maxPayloadBytes) throw tooLarge(payload, this.maxPayloadBytes);
  }
}

function header(name: string, value: string): MsgHdrs {
  const made = headers();
  made.set(name, value);
  return made;
}

function codeOf(text: string): ErrorCode {
  return (ERROR_CODES as readonly string[]).includes(text) ? (text as ErrorCode) : 'MALFORMED';
}

/** The same bytes as no `Buffer`: the `slice` of one shares memory where that of a `Uint8Array` copies. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

function tooLarge(payload: Uint8Array, maxBytes: number): NiobeError {
  return new NiobeError('TOO_LARGE', `a message of ${payload.length} bytes exceeds ${maxBytes}`, { maxBytes });
}
