import { CELL_BYTES_MAX, KEY_BYTES_MAX } from '@niobe/cells';
import { crc32 } from '@niobe/kernel';
import { BODY_BITS, COMMIT_BODY_BYTES, COMMIT_CRC_AT, entryBytes, HEADER_BYTES, KIND } from './entry.ts';
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
    validBytes = commitAt + HEADER_BYTES + COMMIT_BODY_BYTES;
  }
  return { validBytes, lastCommit, damageAt: validBytes === bytes.length ? null : validBytes };
}

/** Offset of the commit that ends the batch at `batchStart`, or -1. */
function findCommit(view: DataView, batchStart: number): number {
  let at = batchStart;
  if (at === 0) {
    if (!isStart(view)) return -1;
    at = HEADER_BYTES;
  }
  while (at + HEADER_BYTES <= view.byteLength) {
    const kind = view.getUint8(at);
    const bytes = entryBytesIn(view, at);
    if (bytes < 0 || at + bytes > view.byteLength) return -1;
    if (kind === KIND.commit) return bytes === HEADER_BYTES + COMMIT_BODY_BYTES ? at : -1;
    if (kind !== KIND.cell && kind !== KIND.tombstone && kind !== KIND.schema) return -1;
    at += bytes;
  }
  return -1;
}

function isStart(view: DataView): boolean {
  return (
    view.byteLength >= HEADER_BYTES && view.getUint8(0) === KIND.start && view.getUint16(2, true) === SEGMENT_FORMAT
  );
}

/** Bytes of the entry at `at`, or -1 where key or body are longer than any. */
function entryBytesIn(view: DataView, at: number): number {
  const lengths = view.getUint32(at + 8, true);
  const keyBytes = lengths >>> BODY_BITS;
  const bodyBytes = lengths & ((1 << BODY_BITS) - 1);
  return keyBytes > KEY_BYTES_MAX || bodyBytes > CELL_BYTES_MAX ? -1 : entryBytes(keyBytes, bodyBytes);
}

function commitChecks(bytes: Uint8Array, view: DataView, batchStart: number, commitAt: number): boolean {
  if (view.getUint32(commitAt + HEADER_BYTES + 8, true) !== commitAt - batchStart) return false;
  const crc = view.getUint32(commitAt + COMMIT_CRC_AT, true);
  return crc32(bytes.subarray(batchStart, commitAt + COMMIT_CRC_AT)) === crc;
}

function versionAt(view: DataView, at: number): { epoch: number; seq: number } {
  const low = view.getUint32(at + 12, true);
  const high = view.getUint32(at + 16, true);
  return { epoch: high >>> 12, seq: low + (high & 0xfff) * 0x1_0000_0000 };
}
