import { CELL_BYTES_MAX, KEY_BYTES_MAX } from '@niobe/cells';
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
} from './entry.ts';
import { SEGMENT_FORMAT } from './limits.ts';

/** What of a segment's bytes checks. */
export interface ValidPrefix {
  /** Bytes up to the end of the last batch that checks. */
  readonly validBytes: number;
  /** The commit that ends the valid bytes; epoch and seq 0 where there is none. */
  readonly lastCommit: { readonly epoch: number; readonly seq: number };
  /** Offset of the first batch that does not check, null where all bytes do. Whether it is a torn tail or damage, the durable length says. */
  readonly damageAt: number | null;
}

/**
 * Walks the batches of a segment from its start and checks structure, CRC and order of each. Takes bytes from anywhere and never
 * throws. O(bytes) at the speed of CRC-32.
 */
export function validPrefix(bytes: Uint8Array): ValidPrefix {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let validBytes = 0;
  let lastCommit = { epoch: 0, seq: 0 };
  while (validBytes < bytes.length) {
    const commitAt = findCommit(view, validBytes);
    if (commitAt < 0 || !commitChecks(bytes, view, validBytes, commitAt)) break;
    const commit = versionAt(view, commitAt);
    if (commit.seq <= lastCommit.seq || commit.epoch < lastCommit.epoch) break;
    lastCommit = commit;
    validBytes = commitAt + entryBytesIn(view, commitAt);
  }
  return { validBytes, lastCommit, damageAt: validBytes === bytes.length ? null : validBytes };
}

/** Epoch and high bits of seq that a segment's start says for its entries; the bytes must begin with a start. */
export function baseOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, START_BYTES).getUint32(BASE_AT, true);
}

/** Offset of the commit that ends the batch at `batchStart`, or -1. */
function findCommit(view: DataView, batchStart: number): number {
  let at = batchStart;
  if (at === 0) {
    if (!isStart(view)) return -1;
    at = START_BYTES;
  }
  while (at + HEADER_BYTES <= view.byteLength) {
    const bytes = entryBytesIn(view, at);
    if (bytes < 0 || at + bytes > view.byteLength) return -1;
    const first = view.getUint8(at);
    const kind = first & KIND_MASK;
    if (kind === KIND.commit) return bytes === headerBytesOf(first) + COMMIT_BODY_BYTES ? at : -1;
    if (kind !== KIND.cell && kind !== KIND.tombstone && kind !== KIND.schema) return -1;
    at += bytes;
  }
  return -1;
}

function isStart(view: DataView): boolean {
  return (
    view.byteLength >= START_BYTES && view.getUint8(0) === START_BYTE && view.getUint16(2, true) === SEGMENT_FORMAT
  );
}

/** Bytes of the entry at `at`, or -1 where key or body are longer than any, or flags are not known. */
function entryBytesIn(view: DataView, at: number): number {
  const first = view.getUint8(at);
  const lengths = view.getUint32(at + 8, true);
  const keyBytes = lengths >>> BODY_BITS;
  const bodyBytes = lengths & ((1 << BODY_BITS) - 1);
  if (keyBytes > KEY_BYTES_MAX || bodyBytes > CELL_BYTES_MAX || (first & UNKNOWN_FLAGS) !== 0) return -1;
  return entryBytes(headerBytesOf(first), keyBytes, bodyBytes);
}

function commitChecks(bytes: Uint8Array, view: DataView, batchStart: number, commitAt: number): boolean {
  const bodyAt = commitAt + headerBytesOf(view.getUint8(commitAt));
  if (view.getUint32(bodyAt + 8, true) !== commitAt - batchStart) return false;
  return crc32(bytes.subarray(batchStart, bodyAt + 12)) === view.getUint32(bodyAt + 12, true);
}

function versionAt(view: DataView, at: number): { epoch: number; seq: number } {
  const isWide = (view.getUint8(at) & FLAG.wide) !== 0;
  const versionWord = view.getUint32(isWide ? at + HEADER_BYTES : BASE_AT, true);
  return { epoch: epochOf(versionWord), seq: seqOf(view.getUint32(at + 12, true), versionWord) };
}

const KIND_MASK = 0x0f;
const UNKNOWN_FLAGS = 0xc0;
const START_BYTE: number = KIND.start | FLAG.wide | FLAG.expires;
/** Where a start says epoch and high bits of seq. */
const BASE_AT = 16;
