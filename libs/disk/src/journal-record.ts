import { assert, crc32, getU53, setU53 } from '@niobe/kernel';
import type { Change } from '@niobe/replication';

/**
 * A record of the journal: one round, written by one write and made durable by one fdatasync.
 *
 *     head 64 | head again | payloads | table: a row of 32 a change | table again | zeros up to a multiple of 4096
 *
 * Records begin at multiples of 4096, so that no write ever touches a block that was durable before. Head and table are there twice,
 * because without them nobody could tell whose bytes were damaged; a payload is there once and has its own checksum in its row.
 * FORMAT.md has every byte.
 */

/** Records begin at multiples of this. */
export const BLOCK_BYTES = 4096;

const MAGIC = 0x524a_424e; // "NBJR"
const FORMAT = 1;
const HEAD_BYTES = 64;
const HEAD_CRC_AT = 60;
const ROW_BYTES = 32;
const PAYLOADS_AT: number = 2 * HEAD_BYTES;

const Kind = { append: 1, repair: 2, truncate: 3, free: 4, complete: 5, register: 6, catalogue: 7 } as const;

/** A change as a row of the table says it; fields that a kind does not have are 0. */
export interface Row {
  readonly kind: keyof typeof Kind;
  readonly partition: number;
  readonly epoch: number;
  readonly segment: number;
  readonly segmentEpoch: number;
  /** Also the length of `truncate` and the epoch of `complete`. */
  readonly offset: number;
  readonly committedBytes: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

const KINDS = Object.keys(Kind) as Row['kind'][];
const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/** Bytes of a record of `changes` changes with `payloadBytes` of payload. */
export function recordBytes(payloadBytes: number, changes: number): number {
  const bytes = PAYLOADS_AT + payloadBytes + 2 * changes * ROW_BYTES;
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** Gathers the changes of a round. Payloads are copied once, to where they are written from. */
export class RoundRecord {
  readonly #bytes: Uint8Array;
  readonly #table: Uint8Array;
  readonly #tableView: DataView;
  #at = PAYLOADS_AT;
  #rows = 0;

  /** @param payloadBytes the most that will be added; likewise `changes`. */
  constructor(payloadBytes: number, changes: number) {
    this.#bytes = new Uint8Array(recordBytes(payloadBytes, changes));
    this.#table = new Uint8Array(changes * ROW_BYTES);
    this.#tableView = new DataView(this.#table.buffer);
  }

  get isEmpty(): boolean {
    return this.#rows === 0;
  }

  /** Adds a change and returns its payload as it lies in the record. */
  addChange(partition: number, attempt: { epoch: number; owner: string }, change: Change): Uint8Array {
    const payload = payloadOf(attempt.owner, change);
    const { segment = 0, segmentEpoch = 0 } = 'segment' in change ? change : {};
    return this.#add(change.kind, payload, {
      partition,
      epoch: attempt.epoch,
      segment,
      segmentEpoch,
      offset: offsetOf(change),
      committedBytes: change.kind === 'append' ? change.committedBytes : 0,
    });
  }

  /** Adds a catalogue; its revision takes the place of the segment. */
  addCatalogue(revision: number, bytes: Uint8Array): Uint8Array {
    const segment = revision >>> 0;
    const segmentEpoch = Math.floor(revision / 0x1_0000_0000);
    return this.#add('catalogue', bytes, {
      partition: 0,
      epoch: 0,
      segment,
      segmentEpoch,
      offset: 0,
      committedBytes: 0,
    });
  }

  #add(kind: Row['kind'], payload: Uint8Array, row: Omit<Row, 'kind' | 'payloadBytes' | 'payloadCrc'>): Uint8Array {
    const at = this.#rows * ROW_BYTES;
    assert(at < this.#table.length && this.#at + payload.length <= this.#bytes.length, 'a round stays in its bounds');
    const view = this.#tableView;
    view.setUint8(at, Kind[kind]);
    view.setUint16(at + 2, row.partition, true);
    view.setUint32(at + 4, row.epoch, true);
    view.setUint32(at + 8, row.segment, true);
    view.setUint32(at + 12, row.segmentEpoch, true);
    view.setUint32(at + 16, row.offset, true);
    view.setUint32(at + 20, row.committedBytes, true);
    view.setUint32(at + 24, payload.length, true);
    this.#bytes.set(payload, this.#at);
    const kept = this.#bytes.subarray(this.#at, this.#at + payload.length);
    view.setUint32(at + 28, crc32(kept), true);
    this.#at += payload.length;
    this.#rows += 1;
    return kept;
  }

  /** The record as it is written. */
  finish(storeId: Uint8Array, round: number): Uint8Array {
    const payloadBytes = this.#at - PAYLOADS_AT;
    const table = this.#table.subarray(0, this.#rows * ROW_BYTES);
    this.#bytes.set(table, this.#at);
    this.#bytes.set(table, this.#at + table.length);
    const view = new DataView(this.#bytes.buffer);
    view.setUint32(0, MAGIC, true);
    view.setUint16(4, FORMAT, true);
    this.#bytes.set(storeId, 8);
    setU53(view, 16, round);
    view.setUint32(24, this.#rows, true);
    view.setUint32(28, payloadBytes, true);
    view.setUint32(32, crc32(table), true);
    view.setUint32(HEAD_CRC_AT, crc32(this.#bytes.subarray(0, HEAD_CRC_AT)), true);
    this.#bytes.copyWithin(HEAD_BYTES, 0, HEAD_BYTES);
    return this.#bytes.subarray(0, recordBytes(payloadBytes, this.#rows));
  }
}

function payloadOf(owner: string, change: Change): Uint8Array {
  if (change.kind === 'register') return encoder.encode(owner);
  return 'bytes' in change ? change.bytes : NO_BYTES;
}

function offsetOf(change: Change): number {
  switch (change.kind) {
    case 'append':
    case 'repair':
      return change.offset;
    case 'truncate':
      return change.length;
    case 'complete':
      return change.completeEpoch;
    case 'free':
    case 'register':
      return 0;
  }
}

/** A record that was found in a part: its head checks, in one of its two places at least. */
export class FoundRecord {
  readonly round: number;
  /** Length of the record in its part. */
  readonly bytes: number;
  /** Where it begins in its part. */
  readonly at: number;
  readonly #part: Uint8Array;
  readonly #rows: number;
  readonly #payloadBytes: number;
  readonly #tableCrc: number;

  private constructor(part: Uint8Array, at: number, head: DataView) {
    this.at = at;
    this.round = getU53(head, 16);
    this.#part = part;
    this.#rows = head.getUint32(24, true);
    this.#payloadBytes = head.getUint32(28, true);
    this.#tableCrc = head.getUint32(32, true);
    this.bytes = recordBytes(this.#payloadBytes, this.#rows);
  }

  /** The record of this store that begins at `at`, or null. */
  static at(part: Uint8Array, at: number, storeId: Uint8Array): FoundRecord | null {
    for (const start of [at, at + HEAD_BYTES]) {
      const head = part.subarray(start, start + HEAD_BYTES);
      if (!isHead(head, storeId)) continue;
      const found = new FoundRecord(part, at, new DataView(head.buffer, head.byteOffset, HEAD_BYTES));
      return at + found.bytes <= part.length ? found : null;
    }
    return null;
  }

  /** Its rows, or null where both tables are damaged. */
  rows(): Row[] | null {
    const bytes = this.#rows * ROW_BYTES;
    const first = this.at + PAYLOADS_AT + this.#payloadBytes;
    for (const start of [first, first + bytes]) {
      const table = this.#part.subarray(start, start + bytes);
      if (crc32(table) === this.#tableCrc) return readRows(table);
    }
    return null;
  }

  /** Where the payload of each row begins in the part. */
  payloadStarts(rows: readonly Row[]): number[] {
    let at = this.at + PAYLOADS_AT;
    return rows.map(({ payloadBytes }) => {
      at += payloadBytes;
      return at - payloadBytes;
    });
  }
}

function isHead(head: Uint8Array, storeId: Uint8Array): boolean {
  if (head.length < HEAD_BYTES) return false;
  const view = new DataView(head.buffer, head.byteOffset, HEAD_BYTES);
  if (view.getUint32(0, true) !== MAGIC || view.getUint16(4, true) !== FORMAT) return false;
  if (storeId.some((byte, i) => head[8 + i] !== byte)) return false;
  return crc32(head.subarray(0, HEAD_CRC_AT)) === view.getUint32(HEAD_CRC_AT, true);
}

function readRows(table: Uint8Array): Row[] | null {
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  const rows: Row[] = [];
  for (let at = 0; at < table.length; at += ROW_BYTES) {
    const kind = KINDS[view.getUint8(at) - 1];
    if (kind === undefined) return null;
    rows.push({
      kind,
      partition: view.getUint16(at + 2, true),
      epoch: view.getUint32(at + 4, true),
      segment: view.getUint32(at + 8, true),
      segmentEpoch: view.getUint32(at + 12, true),
      offset: view.getUint32(at + 16, true),
      committedBytes: view.getUint32(at + 20, true),
      payloadBytes: view.getUint32(at + 24, true),
      payloadCrc: view.getUint32(at + 28, true),
    });
  }
  return rows;
}

/** The change that a row with its payload is; null for a catalogue. */
export function changeOf(row: Row, bytes: Uint8Array): Change | null {
  const { kind, segment, segmentEpoch, offset, committedBytes } = row;
  switch (kind) {
    case 'append':
      return { kind, segment, segmentEpoch, offset, committedBytes, bytes };
    case 'repair':
      return { kind, segment, segmentEpoch, offset, bytes };
    case 'truncate':
      return { kind, segment, segmentEpoch, length: offset };
    case 'free':
      return { kind, segment, segmentEpoch };
    case 'complete':
      return { kind, completeEpoch: offset };
    case 'register':
      return { kind };
    case 'catalogue':
      return null;
  }
}
