import { NiobeError } from '@niobe/kernel';

/** Longest line; what is longer is no line of a graph. */
export const LINE_BYTES_MAX: number = 1024 * 1024;

const LF = 10;
const CR = 13;
const NO_BYTES = new Uint8Array(0);

/**
 * Cuts bytes that come in pieces into lines, which end with LF, CR LF or CR; the last may lack its end. A line is a range of
 * {@link bytes} until the next is asked for. Copies only what a piece leaves unfinished.
 */
export class LineCutter {
  bytes: Uint8Array = NO_BYTES;
  /** The present line, without its end. */
  start = 0;
  end = 0;
  /** Lines so far, the present one included. */
  lines = 0;
  #next = 0;
  #isLast = false;

  /** Takes the next piece, once {@link next} has said that there is no line. `MALFORMED` for a line that does not end. */
  push(piece: Uint8Array): void {
    const rest = this.bytes.subarray(this.#next);
    if (rest.length > LINE_BYTES_MAX)
      throw new NiobeError('MALFORMED', `line ${this.lines + 1} has more than ${LINE_BYTES_MAX} bytes`);
    this.bytes = joined(rest, piece);
    this.#next = 0;
  }

  /** There are no more pieces: what is left is the last line. */
  finish(): void {
    this.#isLast = true;
  }

  /** Goes to the next line; false if it needs a further piece, or at the end. */
  next(): boolean {
    const { bytes } = this;
    const { length } = bytes;
    let at = this.#next;
    while (at < length && bytes[at] !== LF && bytes[at] !== CR) at += 1;
    if (at >= length - 1 && !this.#isComplete(at)) return false;
    this.start = this.#next;
    this.end = at;
    this.lines += 1;
    this.#next = bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
    return true;
  }

  /** Whether the line that ends at `at`, the last byte or behind it, is whole: after a CR a LF may still come. */
  #isComplete(at: number): boolean {
    const { length } = this.bytes;
    if (this.#isLast) return this.#next < length;
    return at < length && this.bytes[at] === LF;
  }
}

/** Never a `Buffer`, so that the loops over bytes see one kind of array. */
function joined(rest: Uint8Array, piece: Uint8Array): Uint8Array {
  if (rest.length === 0) return new Uint8Array(piece.buffer, piece.byteOffset, piece.length);
  const bytes = new Uint8Array(rest.length + piece.length);
  bytes.set(rest);
  bytes.set(piece, rest.length);
  return bytes;
}
