import { assert, copyRange, type ByteWriter } from '@niobe/kernel';
import { endWidth, headBytes, setNullAt, TYPE, type Field, type Layout } from './layout.ts';
import { tooLong, writeBigint, writeFixed, writeNumber } from './scalar.ts';
import { violation } from './violation.ts';
import { setU16, setU32 } from './words.ts';

/**
 * Writes one body after another straight into a {@link ByteWriter}, field by field, without objects. Fixed fields in any order,
 * variable fields in order of declaration; what is not set is null. One builder serves one schema and is used again and again.
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

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#ends = new Uint32Array(layout.variables.length);
    this.#isSet = new Uint8Array(layout.fieldCount);
    this.#fixedStart = 1 + layout.bitmapBytes[layout.fieldCount]!;
    this.#narrowHead = headBytes(layout, layout.fieldCount, 2);
  }

  /** Begins a body at the end of `out`. Throws `TOO_LARGE` where `out` is full. */
  begin(out: ByteWriter): void {
    assert(this.#out === null, 'a body is ended before the next begins');
    const start = out.reserve(this.#narrowHead);
    const bytes = out.buffer;
    bytes.fill(0, start, start + this.#narrowHead);
    bytes[start] = this.#layout.fieldCount;
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

  /** For a variable field whose bytes were just written to the writer: ends it there. */
  endVariable(fieldIndex: number): void {
    const field = this.#variableField(fieldIndex);
    this.#passTo(field.rank);
    this.#ends[field.rank] = this.#writer().length - this.#start;
    this.#nextRank = field.rank + 1;
    this.#isSet[fieldIndex] = 1;
  }

  /** Ends the body and returns its length. Throws `SCHEMA_VIOLATION` naming a required field that was not set. */
  end(): number {
    const out = this.#writer();
    this.#passTo(this.#ends.length);
    this.#markNulls(out.buffer);
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

  #markNulls(bytes: Uint8Array): void {
    for (const field of this.#layout.fields) {
      if (this.#isSet[field.index] === 1) continue;
      if (field.nullBit < 0) throw violation(field.name, 'a required field is missing');
      setNullAt(field, bytes, this.#start, true);
    }
  }

  /** Gives the variable fields below `rank` that were not set an empty range. */
  #passTo(rank: number): void {
    assert(this.#nextRank <= rank, 'variable fields are set in order of declaration, each once');
    const end = this.#nextRank === 0 ? this.#narrowHead : this.#ends[this.#nextRank - 1]!;
    for (; this.#nextRank < rank; this.#nextRank++) this.#ends[this.#nextRank] = end;
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
