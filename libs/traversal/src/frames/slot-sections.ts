import { NiobeError, type ByteReader, type ByteWriter } from '@niobe/kernel';
import { SECTION_SLOTS_MAX } from '../limits.ts';

/**
 * Slots of one partition and generation, in whichever form is shorter.
 *
 *     section   u32 high (partition << 8 | generation), u8 form, u32 slots, u32 first slot, then
 *               form 0   varint ...       distance to the next slot, less one; ascending
 *               form 1   u32 bytes, bits  bit i of byte b: slot first + 8 b + i
 *               form +2  varint ...       behind either: the count of each slot, in their order
 *
 * A varint has 7 bits a byte, low ones first, the eighth says that more follow.
 */

const LIST = 0;
const BITMAP = 1;
const COUNTED = 2;

const SLOT_LIMIT = 0x1_0000_0000;
const VARINT_BYTES_MAX = 5;

/** Place and slot in one double: slot * this + place. */
const PLACES = SECTION_SLOTS_MAX;

/** Writes sections; its scratch memory is used again and again. */
export class SectionWriter {
  readonly #slots = new Uint32Array(SECTION_SLOTS_MAX);
  readonly #counts = new Uint32Array(SECTION_SLOTS_MAX);
  readonly #sortable = new Float64Array(SECTION_SLOTS_MAX);

  /**
   * Appends `slots[from, to)`, at most {@link SECTION_SLOTS_MAX} and at least one, distinct, in any order.
   *
   * @param counts by the same index, or null
   */
  write(out: ByteWriter, high: number, slots: Uint32Array, counts: Uint32Array | null, from: number, to: number): void {
    const length = to - from;
    const { first, last } = ends(slots, from, to);
    const bitmapBytes = ((last - first) >>> 3) + 1;
    const form = bitmapBytes <= length ? BITMAP : LIST;
    out.u32(high);
    out.u8(form | (counts === null ? 0 : COUNTED));
    out.u32(length);
    out.u32(first);
    if (counts !== null) this.#sortWithCounts(slots, counts, from, to);
    else if (form === LIST) this.#sort(slots, from, to);
    if (form === BITMAP) writeBits(out, slots, from, to, first, bitmapBytes);
    else this.#writeList(out, length);
    if (counts !== null) for (let i = 0; i < length; i++) writeVarint(out, this.#counts[i]!);
  }

  #sort(slots: Uint32Array, from: number, to: number): void {
    this.#slots.set(slots.subarray(from, to));
    this.#slots.subarray(0, to - from).sort();
  }

  #sortWithCounts(slots: Uint32Array, counts: Uint32Array, from: number, to: number): void {
    const length = to - from;
    for (let i = 0; i < length; i++) this.#sortable[i] = slots[from + i]! * PLACES + i;
    this.#sortable.subarray(0, length).sort();
    for (let i = 0; i < length; i++) {
      const value = this.#sortable[i]!;
      this.#slots[i] = Math.floor(value / PLACES);
      this.#counts[i] = counts[from + (value % PLACES)]!;
    }
  }

  #writeList(out: ByteWriter, length: number): void {
    for (let i = 1; i < length; i++) writeVarint(out, this.#slots[i]! - this.#slots[i - 1]! - 1);
  }
}

function ends(slots: Uint32Array, from: number, to: number): { readonly first: number; readonly last: number } {
  let first = slots[from]!;
  let last = first;
  for (let i = from + 1; i < to; i++) {
    const slot = slots[i]!;
    if (slot < first) first = slot;
    else if (slot > last) last = slot;
  }
  return { first, last };
}

function writeBits(
  out: ByteWriter,
  slots: Uint32Array,
  from: number,
  to: number,
  first: number,
  bitmapBytes: number,
): void {
  out.u32(bitmapBytes);
  const at = out.reserve(bitmapBytes);
  const { buffer } = out;
  buffer.fill(0, at, at + bitmapBytes);
  for (let i = from; i < to; i++) {
    const bit = slots[i]! - first;
    buffer[at + (bit >>> 3)]! |= 1 << (bit & 7);
  }
}

/** Reads sections; what it gives holds until the next one. */
export class SectionReader {
  high = 0;
  length = 0;
  /** Ascending. */
  readonly slots: Uint32Array = new Uint32Array(SECTION_SLOTS_MAX);
  /** By the same index; 1 where the section has no counts. */
  readonly counts: Uint32Array = new Uint32Array(SECTION_SLOTS_MAX);

  /** Reads one section. Throws `MALFORMED`. */
  read(reader: ByteReader): void {
    this.high = reader.u32();
    const form = reader.u8();
    this.length = reader.u32();
    if (form > (BITMAP | COUNTED) || this.length < 1 || this.length > SECTION_SLOTS_MAX)
      throw new NiobeError('MALFORMED', `a section of form ${form} with ${this.length} slots`);
    const first = reader.u32();
    if ((form & BITMAP) === LIST) this.#readList(reader, first);
    else this.#readBits(reader, first);
    if ((form & COUNTED) === 0) this.counts.fill(1, 0, this.length);
    else for (let i = 0; i < this.length; i++) this.counts[i] = readVarint(reader);
  }

  #readList(reader: ByteReader, first: number): void {
    let slot = first;
    this.slots[0] = slot;
    for (let i = 1; i < this.length; i++) {
      slot += readVarint(reader) + 1;
      if (slot >= SLOT_LIMIT) throw new NiobeError('MALFORMED', 'a section with slots beyond 32 bits');
      this.slots[i] = slot;
    }
  }

  #readBits(reader: ByteReader, first: number): void {
    const bits = reader.raw(reader.u32());
    if (first + bits.length * 8 > SLOT_LIMIT + 7) throw new NiobeError('MALFORMED', 'a bitmap beyond 32 bits');
    let found = 0;
    for (let at = 0; at < bits.length; at++) {
      for (let byte = bits[at]!; byte !== 0; byte &= byte - 1) {
        if (found === this.length) throw wrongBits(this.length);
        this.slots[found++] = first + at * 8 + (31 - Math.clz32(byte & -byte));
      }
    }
    if (found !== this.length) throw wrongBits(this.length);
  }
}

function wrongBits(length: number): NiobeError {
  return new NiobeError('MALFORMED', `a bitmap that does not have the ${length} slots it is said to have`);
}

function writeVarint(out: ByteWriter, value: number): void {
  let left = value;
  while (left > 0x7f) {
    out.u8((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  out.u8(left);
}

/** A u32. Throws `MALFORMED` where it has more than 32 bits. */
function readVarint(reader: ByteReader): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < VARINT_BYTES_MAX; i++) {
    const byte = reader.u8();
    value += (byte & 0x7f) * scale;
    if (byte < 0x80 && value < SLOT_LIMIT) return value;
    scale *= 0x80;
  }
  throw new NiobeError('MALFORMED', 'a varint of more than 32 bits');
}
