import type { BusMessage } from '@niobe/grid';

/**
 * The wire is at most once, but a message may arrive twice. A request that changed something is remembered by its id (client,
 * serial), so that its repetition gets the same answer and has no second effect.
 *
 * Clients count their serials up and have few requests in flight, so per client the newest SERIALS_REMEMBERED answers suffice: an
 * older serial that is not remembered is a stray, whose asker stopped waiting long ago. Clients that were silent the longest are
 * forgotten first. Answers are small (some dozens of bytes a section); their sum is bounded too.
 */

/** Newest serials per client that are told apart from strays. */
export const SERIALS_REMEMBERED = 1024;

/** Answers kept beyond that, because requests are executed a little out of order. */
const SLACK = 256;

/** Clients that are remembered. */
const CLIENTS_MAX = 1024;

/** Bytes of answers that are remembered. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** Repetitions that wait for the answer of one request; further ones are dropped, as the wire may. */
const WAITING_MAX = 8;

/** A request that is being executed, or was. */
interface Remembered {
  answer: Uint8Array | null;
  readonly waiting: BusMessage[];
}

interface Client {
  /** By serial, in order of execution. */
  readonly requests: Map<number, Remembered>;
  highest: number;
}

/** What is known of a request that arrives. */
export type Recollection = 'new' | 'repeated' | 'stray';

/** See the head of this file. */
export class RequestMemory {
  /** By client id, the silent ones first. */
  readonly #clients = new Map<number, Client>();
  #answerBytes = 0;

  /** Bytes of the answers that are kept. */
  get answerBytes(): number {
    return this.#answerBytes;
  }

  /**
   * Says what is known of the request and, if it is repeated, answers `message` now or together with the first one.
   * O(1).
   */
  recall(client: number, serial: number, message: BusMessage): Recollection {
    const known = this.#clients.get(client);
    if (known === undefined) return 'new';
    const request = known.requests.get(serial);
    if (request === undefined) return behind(known.highest, serial) >= SERIALS_REMEMBERED ? 'stray' : 'new';
    if (request.answer !== null) message.reply(request.answer);
    else if (request.waiting.length < WAITING_MAX) request.waiting.push(message);
    return 'repeated';
  }

  /** Remembers that the request had an effect; its answer follows. */
  executed(client: number, serial: number): void {
    const known = this.#touch(client, serial);
    known.requests.set(serial, { answer: null, waiting: [] });
    if (behind(known.highest, serial) < 0) known.highest = serial;
    if (known.requests.size > SERIALS_REMEMBERED + SLACK) this.#forgetOldest(known);
  }

  /** Keeps the answer and gives it to the repetitions that waited for it. */
  answered(client: number, serial: number, answer: Uint8Array): void {
    const request = this.#clients.get(client)?.requests.get(serial);
    if (request === undefined || request.answer !== null) return;
    request.answer = answer;
    this.#answerBytes += answer.length;
    for (const message of request.waiting.splice(0)) message.reply(answer);
    while (this.#answerBytes > ANSWER_BYTES_MAX) this.#forgetClient();
  }

  #touch(client: number, serial: number): Client {
    const known = this.#clients.get(client) ?? { requests: new Map<number, Remembered>(), highest: serial };
    this.#clients.delete(client);
    this.#clients.set(client, known);
    if (this.#clients.size > CLIENTS_MAX) this.#forgetClient();
    return known;
  }

  #forgetOldest(client: Client): void {
    for (const [serial, request] of client.requests) {
      client.requests.delete(serial);
      this.#answerBytes -= request.answer?.length ?? 0;
      return;
    }
  }

  #forgetClient(): void {
    for (const [id, client] of this.#clients) {
      for (const request of client.requests.values()) this.#answerBytes -= request.answer?.length ?? 0;
      this.#clients.delete(id);
      return;
    }
  }
}

/** How far `serial` is behind `highest`, in a u32 that wraps; negative when it is ahead. */
function behind(highest: number, serial: number): number {
  return (highest - serial) | 0;
}
