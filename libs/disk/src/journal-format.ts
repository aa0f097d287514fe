import { crc32, getU53, setU53 } from '@niobe/kernel';
import type { Attempt, Catalogue, Change } from '@niobe/replication';
import { BLOCK_BYTES } from './limits.ts';

/**
 * The bytes of journal parts, rounds and records; FORMAT.md tells every one of them.
 *
 * All checksums of a round start from its number, and its header carries the identity of the store: what an earlier use of the part
 * left behind, or what a user put into a payload, is never taken for a record.
 */

/** Version of everything that the store writes; another one is not read. */
export const FORMAT_VERSION = 1;

/** Bytes of a store's identity. */
export const IDENTITY_BYTES = 16;

/** Bytes of a round before its records. */
export const ROUND_HEADER_BYTES = 64;

/** Bytes of a record before its payload. */
export const RECORD_HEADER_BYTES = 32;

const PART_MAGIC = new TextEncoder().encode('NIOBEJNL');
const ROUND_MAGIC = 0x4452424e; // 'NBRD'
const PART_CHECKED_BYTES = 28;
const ROUND_CHECKED_BYTES = 60;
const RECORD_CHECKED_BYTES = 28;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const RecordKind = { register: 1, append: 2, repair: 3, truncate: 4, free: 5, complete: 6, catalogue: 7 } as const;

/** Header of a journal part: who it belongs to. */
export function partHeader(identity: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES);
  const view = viewOf(bytes);
  bytes.set(PART_MAGIC);
  view.setUint32(8, FORMAT_VERSION, true);
  bytes.set(identity, 12);
  view.setUint32(PART_CHECKED_BYTES, crc32(bytes.subarray(0, PART_CHECKED_BYTES)), true);
  return bytes;
}

/** Reads {@link partHeader}; null if it does not check. */
export function readPartHeader(bytes: Uint8Array): { readonly version: number; readonly identity: Uint8Array } | null {
  if (bytes.length < PART_CHECKED_BYTES + 4 || !PART_MAGIC.every((byte, i) => bytes[i] === byte)) return null;
  const view = viewOf(bytes);
  if (view.getUint32(PART_CHECKED_BYTES, true) !== crc32(bytes.subarray(0, PART_CHECKED_BYTES))) return null;
  return { version: view.getUint32(8, true), identity: bytes.slice(12, 12 + IDENTITY_BYTES) };
}

/** Whole blocks that a round with this many bytes of records takes. */
export function roundBytes(bodyBytes: number): number {
  return Math.ceil((ROUND_HEADER_BYTES + bodyBytes) / BLOCK_BYTES) * BLOCK_BYTES;
}

/** Writes the header of round number `round` at `at`. */
export function writeRoundHeader(
  bytes: Uint8Array,
  at: number,
  identity: Uint8Array,
  round: number,
  bodyBytes: number,
): void {
  const view = viewOf(bytes);
  bytes.fill(0, at, at + ROUND_HEADER_BYTES);
  view.setUint32(at, ROUND_MAGIC, true);
  view.setUint32(at + 4, bodyBytes, true);
  setU53(view, at + 8, round);
  bytes.set(identity, at + 16);
  view.setUint32(at + ROUND_CHECKED_BYTES, crc32(bytes.subarray(at, at + ROUND_CHECKED_BYTES)), true);
}

/** Reads {@link writeRoundHeader}; null if there is none of this store. */
export function readRoundHeader(
  bytes: Uint8Array,
  at: number,
  identity: Uint8Array,
): { readonly round: number; readonly bodyBytes: number } | null {
  const view = viewOf(bytes);
  if (at + ROUND_HEADER_BYTES > bytes.length || view.getUint32(at, true) !== ROUND_MAGIC) return null;
  const checksum = crc32(bytes.subarray(at, at + ROUND_CHECKED_BYTES));
  if (view.getUint32(at + ROUND_CHECKED_BYTES, true) !== checksum) return null;
  if (!identity.every((byte, i) => bytes[at + 16 + i] === byte)) return null;
  return { round: getU53(view, at + 8), bodyBytes: view.getUint32(at + 4, true) };
}

/** A record as it is read; payloads are views. */
export interface JournalRecord {
  readonly content:
    | { readonly kind: 'change'; readonly partition: number; readonly attempt: Attempt; readonly change: Change }
    | { readonly kind: 'catalogue'; readonly catalogue: Catalogue };
  /** Whether its payload checks; its other fields do. */
  readonly isWhole: boolean;
  /** Where the next record begins. */
  readonly end: number;
}

/** Writes a change at `at` and returns where it ends; its payload are the last bytes before. */
export function writeChange(
  bytes: Uint8Array,
  at: number,
  round: number,
  partition: number,
  attempt: Attempt,
  change: Change,
): number {
  const view = viewOf(bytes);
  bytes.fill(0, at, at + RECORD_HEADER_BYTES);
  bytes[at] = RecordKind[change.kind];
  view.setUint16(at + 2, partition, true);
  view.setUint32(at + 8, epochOf(attempt, change), true);
  if ('segment' in change) view.setUint32(at + 4, change.segment, true);
  if ('offset' in change) view.setUint32(at + 12, change.offset, true);
  if (change.kind === 'truncate') view.setUint32(at + 12, change.length, true);
  if (change.kind === 'append') view.setUint32(at + 16, change.committedBytes, true);
  return seal(bytes, at, round, payloadOf(attempt, change));
}

/** Writes a catalogue at `at` and returns where it ends. */
export function writeCatalogue(bytes: Uint8Array, at: number, round: number, catalogue: Catalogue): number {
  bytes.fill(0, at, at + RECORD_HEADER_BYTES);
  bytes[at] = RecordKind.catalogue;
  setU53(viewOf(bytes), at + 4, catalogue.revision);
  return seal(bytes, at, round, catalogue.bytes);
}

function epochOf(attempt: Attempt, change: Change): number {
  if (change.kind === 'register') return attempt.epoch;
  return change.kind === 'complete' ? change.completeEpoch : change.segmentEpoch;
}

const NO_BYTES = new Uint8Array(0);

function payloadOf(attempt: Attempt, change: Change): Uint8Array {
  if (change.kind === 'register') return encoder.encode(attempt.owner);
  return 'bytes' in change ? change.bytes : NO_BYTES;
}

function seal(bytes: Uint8Array, at: number, round: number, payload: Uint8Array): number {
  const view = viewOf(bytes);
  view.setUint32(at + 20, payload.length, true);
  view.setUint32(at + 24, crc32(payload, seedOf(round)), true);
  const checksum = crc32(bytes.subarray(at, at + RECORD_CHECKED_BYTES), seedOf(round));
  view.setUint32(at + RECORD_CHECKED_BYTES, checksum, true);
  bytes.set(payload, at + RECORD_HEADER_BYTES);
  return at + RECORD_HEADER_BYTES + payload.length;
}

/** Reads the record at `at` of a round; null if there is none that checks, so that what follows cannot be found either. */
export function readRecord(bytes: Uint8Array, at: number, round: number): JournalRecord | null {
  if (at + RECORD_HEADER_BYTES > bytes.length) return null;
  const view = viewOf(bytes);
  const checksum = crc32(bytes.subarray(at, at + RECORD_CHECKED_BYTES), seedOf(round));
  if (view.getUint32(at + RECORD_CHECKED_BYTES, true) !== checksum) return null;
  const start = at + RECORD_HEADER_BYTES;
  const end = start + view.getUint32(at + 20, true);
  if (end > bytes.length) return null;
  const payload = bytes.subarray(start, end);
  const isWhole = view.getUint32(at + 24, true) === crc32(payload, seedOf(round));
  const content = contentOf(bytes[at]!, view, at, payload);
  return content === null ? null : { content, isWhole, end };
}

function contentOf(kind: number, view: DataView, at: number, payload: Uint8Array): JournalRecord['content'] | null {
  if (kind === RecordKind.catalogue)
    return { kind: 'catalogue', catalogue: { revision: getU53(view, at + 4), bytes: payload } };
  const change = changeOf(kind, view, at, payload);
  if (change === null) return null;
  const attempt = {
    epoch: view.getUint32(at + 8, true),
    owner: kind === RecordKind.register ? decoder.decode(payload) : '',
  };
  return { kind: 'change', partition: view.getUint16(at + 2, true), attempt, change };
}

function changeOf(kind: number, view: DataView, at: number, payload: Uint8Array): Change | null {
  const epoch = view.getUint32(at + 8, true);
  const place = { segment: view.getUint32(at + 4, true), segmentEpoch: epoch };
  const offset = view.getUint32(at + 12, true);
  if (kind === RecordKind.register) return { kind: 'register' };
  if (kind === RecordKind.complete) return { kind: 'complete', completeEpoch: epoch };
  if (kind === RecordKind.free) return { kind: 'free', ...place };
  if (kind === RecordKind.truncate) return { kind: 'truncate', ...place, length: offset };
  if (kind === RecordKind.repair) return { kind: 'repair', ...place, offset, bytes: payload };
  if (kind !== RecordKind.append) return null;
  return { kind: 'append', ...place, offset, committedBytes: view.getUint32(at + 16, true), bytes: payload };
}

function seedOf(round: number): number {
  return round % 0x1_0000_0000;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
