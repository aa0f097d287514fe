import { assert, copyRange, type ByteWriter } from '@niobe/kernel';
import type { Field } from './field.ts';
import { endWidth, headBytes, setNullAt, type Layout } from './layout.ts';
import { tooLong, writeBigint, writeFixed, writeNumber } from './scalar.ts';
import { TYPE } from './type-table.ts';
import { violation } from './violation.ts';
import { setU16, setU32 } from './words.ts';

/**
 * Writes one body after another straight into a {@link ByteWriter}, field by field, without objects. What is not set has its default or
 * is null. Variable fields that come in the order of the body, which is that of declaration unless one was widened, need not be moved.
 * One builder serves one layout and is used again and again.
 *
 * A value that does not fit throws `SCHEMA_VIOLATION`; `abandon` then removes what was written of the body.
 */
export class BodyBuilder {
  readonly #layout: Layout;
  /** Ends of the variable fields so far, from the start of the body with u16 end offsets. */
  readonly #ends: Uint32Array;
  readonly #isSet: Uint8Array;
  readonly #fixedStart: number;
  readonly #narrowHead: number;
  #out: ByteWriter | null = null;
  #start = 0;
  #nextRank = 0;
  /** Builders of the records in this body, by index of the field. */
  readonly #nested: (BodyBuilder | undefined)[] = [];

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#ends = new Uint32Array(layout.variables.length);
    this.#isSet = new Uint8Array(layout.fields.length);
    this.#fixedStart = 1 + layout.bitmapBytes[layout.steps]!;
    this.#narrowHead = headBytes(layout, layout.steps, 2);
  }

  /** Begins a body at the end of `out`. Throws `TOO_LARGE` where `out` is full. */
  begin(out: ByteWriter): void {
    assert(this.#out === null, 'a body is ended before the next begins');
    const start = out.reserve(this.#narrowHead);
    const bytes = out.buffer;
    bytes.fill(0, start, start + this.#narrowHead);
    bytes[start] = this.#layout.steps;
    this.#isSet.fill(0);
    this.#out = out;
    this.#start = start;
    this.#nextRank = 0;
  }

  /** A bool as 0 or 1, an enum as its index, a decimal scaled, an integer or timestamp (safe integers only), an f64 or an id. */
  setNumber(fieldIndex: number, value: number): void {
    const field = this.#fixedField(fieldIndex);
    writeNumber(field, this.#writer().buffer, this.#fixedAt(field), value);
    this.#isSet[fieldIndex] = 1;
  }

  /** An integer beyond 2^53, or a scaled decimal. */
  setBigint(fieldIndex: number, value: bigint): void {
    const field = this.#fixedField(fieldIndex);
    writeBigint(field, this.#writer().buffer, this.#fixedAt(field), value);
    this.#isSet[fieldIndex] = 1;
  }

  /** An application value: boolean, enum name, decimal text and so on; see `ScalarValue`. */
  setValue(fieldIndex: number, value: unknown): void {
    const field = this.#fixedField(fieldIndex);
    writeFixed(field, this.#writer().buffer, this.#fixedAt(field), value);
    this.#isSet[fieldIndex] = 1;
  }

  /** An i128 as four u32, least first, two's complement. */
  setI128Words(fieldIndex: number, word0: number, word1: number, word2: number, word3: number): void {
    const field = this.#fixedField(fieldIndex);
    assert(field.type === TYPE.i128, 'words are for an i128');
    const bytes = this.#writer().buffer;
    const at = this.#fixedAt(field);
    setU32(bytes, at, word0);
    setU32(bytes, at + 4, word1);
    setU32(bytes, at + 8, word2);
    setU32(bytes, at + 12, word3);
    this.#isSet[fieldIndex] = 1;
  }

  /** The i128 `high * 2^32 + low` of two safe integers: how an exact sum is kept in two doubles. */
  setI128(fieldIndex: number, high: number, low: number): void {
    const carry = Math.floor(low / TWO_32);
    const upper = high + carry;
    assert(Number.isSafeInteger(upper) && Number.isSafeInteger(low), 'both halves of a sum are safe integers');
    const top = Math.floor(upper / TWO_32);
    this.setI128Words(fieldIndex, low >>> 0, upper >>> 0, top | 0, top < 0 ? -1 : 0);
  }

  /** Text from UTF-8 in `bytes[start, end)`; the caller knows that it is UTF-8. Copies. */
  setText(fieldIndex: number, bytes: Uint8Array, start: number, end: number): void {
    const field = this.#variableField(fieldIndex);
    if (end - start > field.maxBytes) throw tooLong(field, end - start);
    const out = this.#writer();
    const at = out.reserve(end - start);
    copyRange(bytes, start, end, out.buffer, at);
    this.endVariable(fieldIndex);
  }

  /** Bytes `bytes[start, end)`. Copies. */
  setBytes(fieldIndex: number, bytes: Uint8Array, start: number, end: number): void {
    this.setText(fieldIndex, bytes, start, end);
  }

  /** A value in the field's own encoding, of which the caller knows that it is one. Copies. */
  setEncoded(fieldIndex: number, bytes: Uint8Array, start: number, end: number): void {
    const field = this.#layout.fields[fieldIndex]!;
    const out = this.#writer();
    if (field.variable) {
      const at = out.reserve(end - start);
      copyRange(bytes, start, end, out.buffer, at);
      this.endVariable(fieldIndex);
    } else {
      copyRange(bytes, start, end, out.buffer, this.#fixedAt(field));
      this.#isSet[fieldIndex] = 1;
    }
  }

  /** Null, also where the field has a default. */
  setNull(fieldIndex: number): void {
    const field = this.#layout.fields[fieldIndex];
    assert(field !== undefined && field.optional, 'the schema has an optional field of this index');
    if (field.variable) this.endVariable(fieldIndex);
    setNullAt(field, this.#writer().buffer, this.#start, true);
    this.#isSet[fieldIndex] = 1;
  }

  /**
   * The builder of a record's body: begun on the same writer, where this builder has come to, and ended before {@link endVariable} of
   * the field.
   */
  nested(fieldIndex: number): BodyBuilder {
    const field = this.#variableField(fieldIndex);
    assert(field.record !== null, 'the field is a record');
    return (this.#nested[fieldIndex] ??= new BodyBuilder(field.record));
  }

  /** For a variable field whose bytes were just written to the writer: ends it there. */
  endVariable(fieldIndex: number): void {
    const { rank } = this.#variableField(fieldIndex);
    assert(this.#isSet[fieldIndex] === 0, 'a variable field is set once');
    if (rank < this.#nextRank) {
      this.#moveUp(rank);
    } else {
      this.#passTo(rank);
      this.#ends[rank] = this.#writer().length - this.#start;
      this.#nextRank = rank + 1;
    }
    this.#isSet[fieldIndex] = 1;
  }

  /** Ends the body and returns its length. Throws `SCHEMA_VIOLATION` naming a required field that was not set. */
  end(): number {
    const out = this.#writer();
    this.#fillUp();
    this.#passTo(this.#ends.length);
    const widened = endWidth(out.length - this.#start) === 4 ? this.#widen(out) : 0;
    this.#writeEnds(out.buffer, widened);
    this.#out = null;
    return out.length - this.#start;
  }

  /** Removes the begun body from the writer. */
  abandon(): void {
    this.#out?.truncate(this.#start);
    this.#out = null;
  }

  /** Gives what was not set its default, or makes it null. */
  #fillUp(): void {
    for (const field of this.#layout.placed) {
      if (this.#isSet[field.index] === 1) continue;
      if (field.given !== null) this.setEncoded(field.index, field.given, 0, field.given.length);
      else if (field.nullBit < 0) throw violation(field.name, 'a required field is missing');
      else setNullAt(field, this.#writer().buffer, this.#start, true);
    }
  }

  /** Gives the variable fields below `rank` that were not set an empty range. */
  #passTo(rank: number): void {
    const end = this.#endBefore(this.#nextRank);
    for (; this.#nextRank < rank; this.#nextRank++) this.#ends[this.#nextRank] = end;
  }

  /** Where the variable field of this rank begins, from the start of the body. */
  #endBefore(rank: number): number {
    return rank === 0 ? this.#narrowHead : this.#ends[rank - 1]!;
  }

  /** Brings a value that was written last to its place before those of higher ranks. */
  #moveUp(rank: number): void {
    const out = this.#writer();
    const to = this.#start + this.#endBefore(rank);
    const from = this.#start + this.#endBefore(this.#nextRank);
    const value = out.buffer.slice(from, out.length);
    out.buffer.copyWithin(to + value.length, to, from);
    out.buffer.set(value, to);
    for (let i = rank; i < this.#nextRank; i++) this.#ends[i]! += value.length;
  }

  /** Makes room for u32 end offsets; returns by how much the variable area moved. */
  #widen(out: ByteWriter): number {
    const more = this.#ends.length * 2;
    const end = out.length;
    out.reserve(more);
    const variablesAt = this.#start + this.#narrowHead;
    out.buffer.copyWithin(variablesAt + more, variablesAt, end);
    return more;
  }

  #writeEnds(bytes: Uint8Array, moved: number): void {
    const count = this.#ends.length;
    const table = this.#start + this.#narrowHead - count * 2;
    for (let rank = 0; rank < count; rank++) {
      if (moved === 0) setU16(bytes, table + rank * 2, this.#ends[rank]!);
      else setU32(bytes, table + rank * 4, this.#ends[rank]! + moved);
    }
  }

  #fixedAt(field: Field): number {
    return this.#start + this.#fixedStart + field.fixedOffset;
  }

  #fixedField(fieldIndex: number): Field {
    const field = this.#layout.fields[fieldIndex];
    assert(field !== undefined && !field.variable, 'the schema has a fixed field of this index');
    return field;
  }

  #variableField(fieldIndex: number): Field {
    const field = this.#layout.fields[fieldIndex];
    assert(field !== undefined && field.variable, 'the schema has a variable field of this index');
    return field;
  }

  #writer(): ByteWriter {
    assert(this.#out !== null, 'a body was begun');
    return this.#out;
  }
}

const TWO_32 = 0x1_0000_0000;
