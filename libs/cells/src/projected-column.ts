import { assert } from '@niobe/kernel';
import type { CellPath } from './cell-path.ts';
import { badRequest } from './clause.ts';
import { generateNumberLoop, generateWordLoop, type ColumnLoop } from './column-code.ts';
import { NumberColumn, RangeColumn, WordColumn, type ValueColumn } from './value-columns.ts';
import { isNumeric, orderOf } from './value-order.ts';
import { ValueRanges } from './value-ranges.ts';

/** What an item of a list counts for in a bound of bytes. */
const ITEM_BYTES = 8;
const ROWS_AT_FIRST = 64;

/** One path of a projection, by row. */
export class ProjectedColumn {
  readonly path: CellPath;
  /** By row; of a path to many values by value, see {@link offsets}. */
  readonly values: ValueColumn;
  readonly #ranges: ValueRanges = new ValueRanges();
  readonly #loop: ColumnLoop | null;
  #nulls: Uint8Array<ArrayBuffer> = new Uint8Array(ROWS_AT_FIRST >>> 3);
  #offsets: Uint32Array<ArrayBuffer> | null;

  /** @param exact integers of 64 bits as two u32. Throws `BAD_REQUEST` where the path does not lead to such. */
  constructor(path: CellPath, exact: boolean) {
    this.path = path;
    this.values = valueColumn(path, exact);
    this.#offsets = path.isMulti ? new Uint32Array(ROWS_AT_FIRST + 1) : null;
    this.#loop = this.#loopOf();
  }

  /** Bit by row: 1 where the path has no value; of a path to many where it has no list. */
  get nulls(): Uint8Array {
    return this.#nulls;
  }

  /** Of a path to many values: where those of row `i` begin in {@link values}; they end where those of row `i + 1` begin. Else null. */
  get offsets(): Uint32Array | null {
    return this.#offsets;
  }

  isNull(row: number): boolean {
    return ((this.#nulls[row >>> 3]! >>> (row & 7)) & 1) === 1;
  }

  /** Bytes of the first `rows` rows, as far as they are bounded in bytes. */
  usedBytes(rows: number): number {
    const count = this.#offsets === null ? rows : this.#offsets[rows]!;
    const rangeBytes = this.values.kind === 'ranges' ? this.values.usedBytes(count) : 0;
    return rangeBytes + (this.#offsets === null ? 0 : count * ITEM_BYTES);
  }

  /** Writes bodies into the rows from `row` on and returns how many: fewer where `roomBytes` are used up. */
  fill(
    bytes: Uint8Array,
    starts: Float64Array,
    lengths: Uint32Array,
    from: number,
    to: number,
    row: number,
    roomBytes: number,
  ): number {
    this.#reserve(row + to - from);
    clearBits(this.#nulls, row, row + to - from);
    if (this.#loop !== null) {
      const { values } = this;
      if (values.kind === 'numbers')
        this.#loop(bytes, starts, lengths, from, to, values.values, null, this.#nulls, row);
      else if (values.kind === 'words')
        this.#loop(bytes, starts, lengths, from, to, values.low, values.high, this.#nulls, row);
      return to - from;
    }
    const endBytes = this.usedBytes(row) + roomBytes;
    for (let i = from; i < to; i++)
      if (!this.#writeRow(bytes, starts[i]!, lengths[i]!, row + i - from, endBytes)) return i - from;
    return to - from;
  }

  /** Writes one row; false where the column would pass `endBytes`. */
  #writeRow(bytes: Uint8Array, at: number, length: number, row: number, endBytes: number): boolean {
    const ranges = this.#ranges;
    this.path.collect(bytes, at, length, ranges);
    if (this.usedBytes(row) + this.#costOf(ranges) > endBytes) return false;
    if (this.#offsets === null) {
      if (ranges.count === 0) this.#writeNull(row);
      else this.values.set(row, ranges.source(0), ranges.starts[0]!, ranges.ends[0]!);
      return true;
    }
    const first = this.#offsets[row]!;
    this.values.reserve(first + ranges.count);
    for (let i = 0; i < ranges.count; i++)
      this.values.set(first + i, ranges.source(i), ranges.starts[i]!, ranges.ends[i]!);
    this.#offsets[row + 1] = first + ranges.count;
    if (ranges.count === 0 && this.path.isNull(bytes, at, length)) setBit(this.#nulls, row);
    return true;
  }

  #costOf(ranges: ValueRanges): number {
    let cost = this.#offsets === null ? 0 : ranges.count * ITEM_BYTES;
    if (this.values.kind === 'ranges')
      for (let i = 0; i < ranges.count; i++) cost += ranges.ends[i]! - ranges.starts[i]!;
    return cost;
  }

  #writeNull(row: number): void {
    this.values.setNull(row);
    setBit(this.#nulls, row);
  }

  #reserve(rows: number): void {
    if (this.#nulls.length * 8 < rows) {
      const nulls = new Uint8Array(Math.max((rows + 7) >>> 3, this.#nulls.length * 2));
      nulls.set(this.#nulls);
      this.#nulls = nulls;
    }
    if (this.#offsets === null) {
      this.values.reserve(rows);
    } else if (this.#offsets.length <= rows) {
      const offsets = new Uint32Array(Math.max(rows + 1, this.#offsets.length * 2));
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
  }

  #loopOf(): ColumnLoop | null {
    const { path, values } = this;
    if (path.isMulti || values.kind === 'ranges') return null;
    const older = (bytes: Uint8Array, at: number, length: number, row: number): void => {
      assert(this.#writeRow(bytes, at, length, row, Infinity), 'a value of fixed width has room');
    };
    return values.kind === 'numbers' ? generateNumberLoop(path.steps, older) : generateWordLoop(path.steps, older);
  }
}

function valueColumn(path: CellPath, exact: boolean): ValueColumn {
  if (exact) {
    if (orderOf(path.type) === 'halves') return new WordColumn();
    throw badRequest(`${path.text}: two words are for integers of 64 bits, not for ${path.field.declaration.type}`);
  }
  return isNumeric(path.type) ? new NumberColumn(path.type) : new RangeColumn();
}

function setBit(bits: Uint8Array, index: number): void {
  bits[index >>> 3] = bits[index >>> 3]! | (1 << (index & 7));
}

/** Clears the bits `from` to `to` (exclusive), and whatever is behind them in the last byte. */
function clearBits(bits: Uint8Array, from: number, to: number): void {
  if (from === to) return;
  bits[from >>> 3] = bits[from >>> 3]! & ((1 << (from & 7)) - 1);
  bits.fill(0, (from >>> 3) + 1, (to + 7) >>> 3);
}
