import type { CompiledSchema } from '@niobe/cells';
import { assert, NiobeError, type ByteWriter } from '@niobe/kernel';

/**
 * The stored form of what a stretch of a Kafka partition added to the deduplication table: one `niobe.seen` cell with three columns,
 * 24 bytes an id. It stands for the offsets `first` to `last`, also for those that added nothing.
 *
 *     hashes   4 u32 per entry
 *     offsets  u32 per entry, counted from `first`
 *     times    u32 per entry, the record's Kafka timestamp in Unix seconds
 */

/** Ids of one cell, at most: its columns stay below half a MiB. */
export const CELL_IDS_MAX = 16_384;

const HASH_BYTES = 16;

/** Facts of a stored cell. */
export interface SeenCell {
  readonly key: string;
  readonly first: number;
  /** The last offset it stands for. */
  readonly last: number;
  /** The newest Kafka timestamp of the records it stands for, in Unix seconds. */
  readonly lastSeenS: number;
}

/** Gathers entries of a growing stretch of offsets; one builder serves one cell after another. */
export class SeenCellBuilder {
  #first = 0;
  #key = '';
  readonly #hashes = new Uint32Array(4 * CELL_IDS_MAX);
  readonly #offsets = new Uint32Array(CELL_IDS_MAX);
  readonly #times = new Uint32Array(CELL_IDS_MAX);
  #entries = 0;
  #lastSeenS = 0;

  /** Begins a cell whose offsets count from `first`. */
  begin(key: string, first: number): void {
    this.#key = key;
    this.#first = first;
    this.#entries = 0;
    this.#lastSeenS = 0;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Adds an entry; the caller keeps to {@link CELL_IDS_MAX}. */
  add(hash: Uint32Array, offset: number, second: number): void {
    assert(this.#entries < CELL_IDS_MAX, 'a cell of seen ids is not full');
    this.#hashes.set(hash, 4 * this.#entries);
    this.#offsets[this.#entries] = offset - this.#first;
    this.#times[this.#entries] = second;
    this.#entries += 1;
  }

  /** A record of the stretch arrived at `second`, whether it left an entry or not. */
  sawRecord(second: number): void {
    if (second > this.#lastSeenS) this.#lastSeenS = second;
  }

  /** Appends the body of the cell for the offsets up to, not including, `to`. */
  write(schema: CompiledSchema, to: number, out: ByteWriter): SeenCell {
    const last = to - 1;
    assert(last >= this.#first, 'a stretch of offsets is not empty');
    const cell: SeenCell = { key: this.#key, first: this.#first, last, lastSeenS: this.#lastSeenS };
    schema.encode(
      {
        first: cell.first,
        last,
        lastSeenS: cell.lastSeenS,
        hashes: bytesOf(this.#hashes, 4 * this.#entries),
        offsets: bytesOf(this.#offsets, this.#entries),
        times: bytesOf(this.#times, this.#entries),
      },
      out,
    );
    return cell;
  }
}

function bytesOf(column: Uint32Array, length: number): Uint8Array {
  return new Uint8Array(column.buffer, 0, length * 4);
}

/** Takes one entry of a stored cell: `hash[0, 4)`, offset, second. */
export type TakeEntry = (hash: Uint32Array, offset: number, second: number) => void;

/** Reads a stored cell and calls `take` for each entry from `fromOffset` on. Throws `DAMAGED` where its columns do not fit. */
export function readSeenCell(
  schema: CompiledSchema,
  key: string,
  body: Uint8Array,
  bodyAt: number,
  bodyBytes: number,
  fromOffset: number,
  take: TakeEntry,
): SeenCell {
  const record = schema.decode(body, bodyAt, bodyBytes) as unknown as SeenRecord;
  const { first, last, lastSeenS } = record;
  const hashes = columnOf(record.hashes);
  const offsets = columnOf(record.offsets);
  const times = columnOf(record.times);
  if (
    hashes.length !== offsets.length * 4 ||
    times.length !== offsets.length ||
    record.hashes.length % HASH_BYTES !== 0
  )
    throw damaged(key, 'has columns of unequal length');
  for (let i = 0; i < offsets.length; i++) {
    const offset = first + offsets[i]!;
    if (offset > last) throw damaged(key, `names offset ${offset}, beyond its last, ${last}`);
    if (offset >= fromOffset) take(hashes.subarray(4 * i, 4 * i + 4), offset, times[i]!);
  }
  return { key, first, last, lastSeenS };
}

function damaged(key: string, what: string): NiobeError {
  return new NiobeError('DAMAGED', `the cell of seen ids ${key} ${what}; rebuild the deployment's cubes`);
}

interface SeenRecord {
  readonly first: number;
  readonly last: number;
  readonly lastSeenS: number;
  readonly hashes: Uint8Array;
  readonly offsets: Uint8Array;
  readonly times: Uint8Array;
}

/** A copy, because a column must be aligned; what comes off the wire is a Node `Buffer`, whose own `slice` would not copy. */
function columnOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(new Uint8Array(bytes).buffer, 0, bytes.length >>> 2);
}
