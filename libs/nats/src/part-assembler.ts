import { NiobeError, type Clock, type Timer } from '@niobe/kernel';
import { MESSAGE_BYTES_MAX } from '@niobe/grid';

/**
 * Long messages below the Bus door: cut in numbered parts of {@link PART_BYTES}, each with the same identity, put together where they
 * arrive. NATS keeps the order of one sender, so a part out of order means that one was lost: the message is dropped, and its asker
 * learns that by an error or its deadline. What is half received is bounded in number, bytes and time.
 */

/** Longest message that travels whole, and the length of every part but the last. */
export const PART_BYTES: number = 1024 * 1024;

/** Messages that may be half received. */
export const HALF_RECEIVED_MAX = 64;

/** Bytes that half received messages may take when they are whole. */
const HALF_RECEIVED_BYTES_MAX: number = 64 * 1024 * 1024;

/** A message whose next part is this late is dropped. */
export const PART_TIMEOUT_MS = 10_000;

/** Which part of which message some bytes are; travels as a header. */
export interface PartLabel {
  readonly message: string;
  readonly index: number;
  readonly totalBytes: number;
}

const LABEL = /^([\w-]{1,64}) (\d{1,3}) (\d{1,8})$/;

/** The label as header text. */
export function formatLabel(label: PartLabel): string {
  return `${label.message} ${label.index} ${label.totalBytes}`;
}

/** Reads a label; null if it is none, or of a message longer than any. */
export function parseLabel(text: string): PartLabel | null {
  const match = LABEL.exec(text);
  if (match === null) return null;
  const label = { message: match[1]!, index: Number(match[2]), totalBytes: Number(match[3]) };
  const possible = label.totalBytes > PART_BYTES && label.totalBytes <= MESSAGE_BYTES_MAX;
  return possible && label.index < partCount(label.totalBytes) ? label : null;
}

/** Parts that a message of `totalBytes` is cut in. */
export function partCount(totalBytes: number): number {
  return Math.ceil(totalBytes / PART_BYTES);
}

interface Half {
  readonly bytes: Uint8Array;
  next: number;
  timer: Timer;
}

/** Puts messages together. */
export class PartAssembler {
  readonly #clock: Clock;
  readonly #halves = new Map<string, Half>();
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Messages half received. */
  get pending(): number {
    return this.#halves.size;
  }

  /** Bytes that they take. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a part; returns the whole message with its last one, null before that. Throws `BUSY` if there is no room for another
   * message, `UNAVAILABLE` if an earlier part is missing; the message is dropped then.
   */
  take(label: PartLabel, part: Uint8Array): Uint8Array | null {
    const half = label.index === 0 ? this.#begin(label) : this.#halves.get(label.message);
    const at = label.index * PART_BYTES;
    if (
      half === undefined ||
      half.next !== label.index ||
      part.length !== Math.min(PART_BYTES, label.totalBytes - at) ||
      half.bytes.length !== label.totalBytes
    ) {
      this.#drop(label.message);
      throw new NiobeError(
        'UNAVAILABLE',
        `part ${label.index} of a message of ${label.totalBytes} bytes arrived without those before it`,
      );
    }
    half.bytes.set(part, at);
    half.next += 1;
    half.timer.cancel();
    if (half.next === partCount(label.totalBytes)) return this.#drop(label.message)!.bytes;
    half.timer = this.#expire(label.message);
    return null;
  }

  /** Drops everything, as after a disconnect. */
  clear(): void {
    for (const message of this.#halves.keys()) this.#drop(message);
  }

  #begin(label: PartLabel): Half {
    this.#drop(label.message);
    if (this.#halves.size >= HALF_RECEIVED_MAX || this.#bytes + label.totalBytes > HALF_RECEIVED_BYTES_MAX)
      throw new NiobeError('BUSY', `${this.#halves.size} messages of ${this.#bytes} bytes are half received`, {
        retryAfterMs: 100,
      });
    const half = { bytes: new Uint8Array(label.totalBytes), next: 0, timer: this.#expire(label.message) };
    this.#halves.set(label.message, half);
    this.#bytes += label.totalBytes;
    return half;
  }

  #expire(message: string): Timer {
    return this.#clock.after(PART_TIMEOUT_MS, () => this.#drop(message), true);
  }

  #drop(message: string): Half | undefined {
    const half = this.#halves.get(message);
    if (half === undefined) return undefined;
    half.timer.cancel();
    this.#halves.delete(message);
    this.#bytes -= half.bytes.length;
    return half;
  }
}
