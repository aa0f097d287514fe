import { Readable } from 'node:stream';

/**
 * One answer in Server-Sent Events (`text/event-stream`) that shows the newest state of something. Of what the client has not taken yet
 * only the newest event is kept, so one that reads slowly sees fewer states and costs no more memory.
 */

/** Media type of the answer. */
export const EVENT_STREAM_TYPE = 'text/event-stream';
const HEARTBEAT = ':\n\n';

/** The text of one event. @param name null for a plain message. */
export function eventText(name: string | null, data: unknown): string {
  return `${name === null ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** See the head of this file. It closes when the client goes, or after {@link complete}. */
export class EventStream extends Readable {
  #waiting: string | null = null;
  #wanted = false;

  constructor() {
    super({ highWaterMark: 1 });
  }

  /** Sends an event, in place of one that still waits. */
  tell(event: string): void {
    this.#waiting = event;
    this.#flush();
  }

  /** Sends a comment where nothing waits: it finds out connections that are dead, and keeps those that live. */
  beat(): void {
    if (this.#waiting === null) this.tell(HEARTBEAT);
  }

  /** Ends the answer; nothing may be told afterwards. */
  complete(): void {
    this.#waiting = null;
    this.push(null);
  }

  override _read(): void {
    this.#wanted = true;
    this.#flush();
  }

  #flush(): void {
    if (!this.#wanted || this.#waiting === null) return;
    const event = this.#waiting;
    this.#waiting = null;
    this.#wanted = false;
    this.push(event);
  }
}
