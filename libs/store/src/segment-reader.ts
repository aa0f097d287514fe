import { crc32 } from '@niobe/kernel';
import {
  BODY_BITS,
  COMMIT_BODY_BYTES,
  entryBytes,
  epochOf,
  FLAG,
  HEADER_BYTES,
  headerBytesOf,
  KIND,
  seqOf,
  START_BYTES,
  WORD_BYTES,
} from './entry.ts';
import { BATCH_BYTES_MAX } from './limits.ts';
import { baseOf, validPrefix } from './valid-prefix.ts';

/**
 * A segment's bytes as objects, for those who look at one: tools and tests. The store itself works on the bytes.
 */

/** What a segment says of itself. */
export interface SegmentStart {
  readonly segment: number;
  readonly partition: number;
  /** Of the owner who opened it. */
  readonly epoch: number;
  /** Unix seconds. */
  readonly openedS: number;
}

/** A batch that checks. */
export interface SegmentBatch {
  readonly offset: number;
  /** With its commit, and the start if it is the first. */
  readonly bytes: number;
  readonly epoch: number;
  /** Of the commit. */
  readonly seq: number;
  /** When it was committed. */
  readonly timeMs: number;
  readonly entries: readonly SegmentEntry[];
}

/** An entry; offsets are from the start of the segment. */
export interface SegmentEntry {
  readonly kind: 'cell' | 'tombstone' | 'schema';
  readonly offset: number;
  readonly bytes: number;
  readonly schemaId: number;
  readonly slot: number;
  readonly generation: number;
  readonly epoch: number;
  readonly seq: number;
  /** Unix seconds, 0 = never. */
  readonly expiresS: number;
  readonly keyAt: number;
  readonly keyBytes: number;
  readonly bodyAt: number;
  readonly bodyBytes: number;
}

/** How a segment's bytes end. */
export interface SegmentEnd {
  /** Up to here every batch checks. */
  readonly validBytes: number;
  /** Bytes behind them. */
  readonly restBytes: number;
  /**
   * `whole`: there are none. `zeros`: room that was never written. `damage`: a batch behind them checks, so they were whole once. `tail`:
   * nothing behind them checks; whether it is a torn tail or damage, only the durable length says.
   */
  readonly is: 'whole' | 'zeros' | 'damage' | 'tail';
}

/** What the first entry says, null where no batch checks. */
export function readStart(bytes: Uint8Array): SegmentStart | null {
  if (validPrefix(bytes).validBytes === 0) return null;
  const view = viewOf(bytes);
  return {
    segment: view.getUint32(4, true),
    partition: view.getUint32(12, true),
    epoch: epochOf(baseOf(bytes)),
    openedS: view.getUint32(20, true),
  };
}

/** The batches that check, one by one. Takes bytes from anywhere. */
export function* readBatches(bytes: Uint8Array): Generator<SegmentBatch> {
  const { validBytes } = validPrefix(bytes);
  const view = viewOf(bytes);
  let start = 0;
  let entries: SegmentEntry[] = [];
  for (let at = START_BYTES; at < validBytes;) {
    const entry = readEntry(view, at);
    at += entry.bytes;
    if (entry.kind !== 'commit') {
      entries.push({ ...entry, kind: entry.kind });
      continue;
    }
    const timeMs = view.getFloat64(entry.bodyAt, true);
    yield { offset: start, bytes: at - start, epoch: entry.epoch, seq: entry.seq, timeMs, entries };
    start = at;
    entries = [];
  }
}

interface AnyEntry extends Omit<SegmentEntry, 'kind'> {
  readonly kind: SegmentEntry['kind'] | 'commit';
}

/** An entry of a batch that checks. */
function readEntry(view: DataView, offset: number): AnyEntry {
  const first = view.getUint32(offset, true);
  const lengths = view.getUint32(offset + 8, true);
  const isWide = (first & FLAG.wide) !== 0;
  const versionWord = view.getUint32(isWide ? offset + HEADER_BYTES : BASE_AT, true);
  const headerBytes = headerBytesOf(first);
  const keyBytes = lengths >>> BODY_BITS;
  const bodyBytes = lengths & ((1 << BODY_BITS) - 1);
  return {
    kind: KIND_NAMES[first & KIND_MASK]!,
    offset,
    bytes: entryBytes(headerBytes, keyBytes, bodyBytes),
    schemaId: first >>> 16,
    slot: view.getUint32(offset + 4, true),
    generation: (first >>> 8) & 0xff,
    epoch: epochOf(versionWord),
    seq: seqOf(view.getUint32(offset + 12, true), versionWord),
    expiresS: (first & FLAG.expires) === 0 ? 0 : view.getUint32(offset + headerBytes - WORD_BYTES, true),
    keyAt: offset + headerBytes,
    keyBytes,
    bodyAt: offset + headerBytes + keyBytes,
    bodyBytes,
  };
}

/** How the bytes end. O(bytes), and O(batch) for every four bytes of the rest that look like a commit. */
export function readEnd(bytes: Uint8Array): SegmentEnd {
  const { validBytes } = validPrefix(bytes);
  const rest = bytes.subarray(validBytes);
  const end = { validBytes, restBytes: rest.length };
  if (rest.length === 0) return { ...end, is: 'whole' };
  if (rest.every((byte) => byte === 0)) return { ...end, is: 'zeros' };
  return { ...end, is: hasBatch(bytes, validBytes) ? 'damage' : 'tail' };
}

/** Whether a commit behind `from` checks together with the bytes it says its batch has. */
function hasBatch(bytes: Uint8Array, from: number): boolean {
  const view = viewOf(bytes);
  for (let at = from; at + HEADER_BYTES + COMMIT_BODY_BYTES <= bytes.length; at += WORD_BYTES)
    if (isCommitOf(bytes, view, from, at)) return true;
  return false;
}

function isCommitOf(bytes: Uint8Array, view: DataView, from: number, at: number): boolean {
  const first = view.getUint32(at, true);
  if ((first & KIND_MASK) !== KIND.commit || view.getUint32(at + 8, true) !== COMMIT_BODY_BYTES) return false;
  const bodyAt = at + headerBytesOf(first);
  if (bodyAt + COMMIT_BODY_BYTES > bytes.length) return false;
  const batchBytes = view.getUint32(bodyAt + 8, true);
  if (batchBytes > BATCH_BYTES_MAX || at - batchBytes < from) return false;
  return crc32(bytes.subarray(at - batchBytes, bodyAt + 12)) === view.getUint32(bodyAt + 12, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const KIND_MASK = 0x0f;
const KIND_NAMES: readonly (AnyEntry['kind'] | undefined)[] = [
  undefined,
  undefined,
  'cell',
  'tombstone',
  'schema',
  'commit',
];
/** Where a start says epoch and high bits of seq. */
const BASE_AT = 16;
