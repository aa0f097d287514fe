import { NiobeError } from '@niobe/kernel';
import { CELL_BYTES_MAX } from './types.ts';

/** No body holds more values than bytes. */
const VALUES_MAX = CELL_BYTES_MAX;
const VALUES_AT_FIRST = 8;
const SPARE_BYTES_AT_FIRST = 64;

/**
 * Where the values lie that one path leads to in one body; filled anew for each body, without garbage.
 *
 * A value need not lie in the body: the default of a field that is younger than the body, the text of a `dict`, and a value that was
 * widened since have bytes of their own. So each value comes with the bytes its range belongs to.
 */
export class ValueRanges {
  count = 0;
  /** By value: first byte in its source. */
  starts: Float64Array<ArrayBuffer> = new Float64Array(VALUES_AT_FIRST);
  /** By value: one behind its last byte. */
  ends: Float64Array<ArrayBuffer> = new Float64Array(VALUES_AT_FIRST);
  readonly #sources: Uint8Array[] = [];
  #spare: Uint8Array<ArrayBuffer> = new Uint8Array(SPARE_BYTES_AT_FIRST);
  #spareUsed = 0;

  /** The bytes in which value `index` lies. */
  source(index: number): Uint8Array {
    return this.#sources[index]!;
  }

  clear(): void {
    this.count = 0;
    this.#spareUsed = 0;
  }

  add(source: Uint8Array, start: number, end: number): void {
    const at = this.count;
    if (at === this.starts.length) this.#grow();
    this.#sources[at] = source;
    this.starts[at] = start;
    this.ends[at] = end;
    this.count = at + 1;
  }

  /** Adds a value of `length` bytes that the caller writes next, to {@link source} at the value's start. */
  addOwn(length: number): void {
    if (this.#spareUsed + length > this.#spare.length) {
      // Values before keep the bytes they were written to.
      this.#spare = new Uint8Array(Math.max(this.#spare.length * 2, length));
      this.#spareUsed = 0;
    }
    this.add(this.#spare, this.#spareUsed, this.#spareUsed + length);
    this.#spareUsed += length;
  }

  #grow(): void {
    const room = this.starts.length * 2;
    if (room > VALUES_MAX) throw new NiobeError('TOO_LARGE', `a body with more than ${VALUES_MAX} values of one path`);
    const starts = new Float64Array(room);
    const ends = new Float64Array(room);
    starts.set(this.starts);
    ends.set(this.ends);
    this.starts = starts;
    this.ends = ends;
  }
}
