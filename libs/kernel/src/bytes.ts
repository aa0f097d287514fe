import { assert } from './assert.ts';
import { NiobeError } from './errors.ts';

/**
 * Little-endian reading and writing of frames. A writer grows up to a stated bound and then refuses; a reader never passes the end
 * of its input: what is short or wrong is `MALFORMED`, because frames come from outside.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const SMALLEST_BYTES = 256;
const ASCII_LIMIT = 0x80;

/** Appends values to a buffer that grows by doubling up to `maxBytes`. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;
  readonly #maxBytes: number;

  /** @param maxBytes bound of the buffer; passing it throws `TOO_LARGE`. */
  constructor(maxBytes: number, startBytes = 4096) {
    this.#maxBytes = maxBytes;
    this.#bytes = new Uint8Array(Math.max(SMALLEST_BYTES, Math.min(startBytes, maxBytes)));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** The buffer behind; valid until the next write. For callers that fill `reserve`d room. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** A `DataView` of {@link buffer}; valid until the next write. */
  get view(): DataView {
    return this.#view;
  }

  /** Makes room for `bytes` and returns where it begins; the caller fills all of it. Throws `TOO_LARGE`. */
  reserve(bytes: number): number {
    const at = this.#at;
    const needed = at + bytes;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#at = needed;
    return at;
  }

  #grow(needed: number): void {
    if (needed > this.#maxBytes) {
      throw new NiobeError('TOO_LARGE', `a frame of ${needed} bytes exceeds ${this.#maxBytes}`, {
        maxBytes: this.#maxBytes,
      });
    }
    const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    const at = this.reserve(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.reserve(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.reserve(4);
    this.#view.setUint32(at, value, true);
  }

  i32(value: number): void {
    const at = this.reserve(4);
    this.#view.setInt32(at, value, true);
  }

  f64(value: number): void {
    const at = this.reserve(8);
    this.#view.setFloat64(at, value, true);
  }

  /** A non-negative safe integer as two u32. */
  u53(value: number): void {
    const at = this.reserve(8);
    setU53(this.#view, at, value);
  }

  raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Length as u32, then the bytes. */
  block(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** UTF-8 with its length as u16; longer than 65,535 bytes throws `TOO_LARGE`. */
  text(value: string): void {
    const bytes = encoder.encode(value);
    if (bytes.length > 0xffff)
      throw new NiobeError('TOO_LARGE', `a text of ${bytes.length} bytes exceeds 65535`, { maxBytes: 0xffff });
    this.u16(bytes.length);
    this.raw(bytes);
  }

  /** UTF-8 without its length. Allocates nothing for ASCII. */
  utf8(value: string): void {
    const at = this.reserve(value.length);
    const bytes = this.#bytes;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= ASCII_LIMIT) {
        this.truncate(at);
        this.raw(encoder.encode(value));
        return;
      }
      bytes[at + i] = code;
    }
  }

  /** Overwrites a u32 written before, such as a count. */
  patchU32(at: number, value: number): void {
    assert(at + 4 <= this.#at, 'patch lies in what was written');
    this.#view.setUint32(at, value, true);
  }

  /** Forgets what was written after `length`. */
  truncate(length: number): void {
    assert(length <= this.#at, 'truncate never grows');
    this.#at = length;
  }

  /** Forgets everything and keeps the buffer. */
  reset(): void {
    this.#at = 0;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  /** What was written, shared with the writer until its next write. */
  peek(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Writes a non-negative safe integer as low and high u32. */
export function setU53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

/** Reads what {@link setU53} wrote; above 2^53 - 1 the result is not exact. */
export function getU53(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}

/** Reads values in order from bytes of outside; every shortage is `MALFORMED`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = start;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Passes over `bytes` and returns where they begin. Throws `MALFORMED`. */
  take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#end - at) {
      throw new NiobeError(
        'MALFORMED',
        `a frame ends at byte ${this.#end} where ${bytes} more bytes were expected at ${at}`,
      );
    }
    this.#at = at + bytes;
    return at;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** A non-negative safe integer; anything above is `MALFORMED`. */
  u53(): number {
    const at = this.take(8);
    const value = getU53(this.view, at);
    if (value > Number.MAX_SAFE_INTEGER) throw new NiobeError('MALFORMED', `an integer above 2^53 at byte ${at}`);
    return value;
  }

  /** A view of the next `bytes` bytes, not a copy. */
  raw(bytes: number): Uint8Array {
    const at = this.take(bytes);
    return this.bytes.subarray(at, at + bytes);
  }

  /** A view of a block written by {@link ByteWriter.block}. */
  block(): Uint8Array {
    return this.raw(this.u32());
  }

  text(): string {
    const raw = this.raw(this.u16());
    try {
      return decoder.decode(raw);
    } catch {
      throw new NiobeError('MALFORMED', `a text that is not UTF-8 before byte ${this.#at}`);
    }
  }

  /** Throws `MALFORMED` if anything is left. */
  end(): void {
    if (this.#at !== this.#end)
      throw new NiobeError('MALFORMED', `${this.#end - this.#at} bytes too many at ${this.#at}`);
  }
}
