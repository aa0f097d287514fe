import { crc32, NiobeError, type ByteReader, type ByteWriter } from '@niobe/kernel';
import { CATALOGUE_BYTES_MAX, PARTITIONS_MAX, READ_BYTES_MAX, SEGMENTS_PER_PARTITION_MAX } from '../limits.ts';
import type { Attempt, Catalogue, CopyHolding, SegmentHolding } from './backup-store.ts';
import {
  BackupRequest,
  beginReply,
  beginRequest,
  openReply,
  readOwner,
  readPartition,
  readPromise,
  writePromise,
} from './frames.ts';

/**
 * The requests besides SHIP.
 *
 *     CATALOGUE GET  -                                     reply  u8 present [u53 revision, block]
 *     CATALOGUE PUT  u53 revision, block                   reply  u8 stored (0: a higher revision is held)
 *     REGISTER       u16 partition, u32 epoch, text owner  reply  u8 verdict: 0 OK, u53 stream | 2 FENCED, promise
 *     INVENTORY      u8 with segments, u16 n, partitions   reply  n x u16 partition, promise, u32 completeEpoch, u32 m,
 *                                                                 m x u32 segment, epoch, heldBytes, committedBytes
 *     READ           u16 partition, u32 segment, segmentEpoch, offset, bytes       reply  block, u32 CRC-32 of it
 *     CHECK          u16 n, n x u16 partition, u53 stream  reply  u16 n, n x u8 whether the stream is open
 */

const INVENTORY_PARTITIONS_MAX = PARTITIONS_MAX;
const SEGMENT_ROW_BYTES = 16;

/** Answer to REGISTER: the stream that SHIP sections must name, or who was promised. */
export type Registration =
  { readonly kind: 'OK'; readonly stream: number } | { readonly kind: 'FENCED'; readonly promised: Attempt | null };

/** Fields of READ. */
export interface ReadRange {
  readonly partition: number;
  readonly segment: number;
  readonly segmentEpoch: number;
  readonly offset: number;
  readonly bytes: number;
}

/** A registration that the sender believes to hold. */
export interface OpenStream {
  readonly partition: number;
  readonly stream: number;
}

/** Fields of INVENTORY; without segments it tells promises alone. */
export interface InventoryRequest {
  readonly partitions: readonly number[];
  readonly withSegments: boolean;
}

export function getCatalogueRequest(): Uint8Array {
  return beginRequest(BackupRequest.getCatalogue).finish();
}

export function catalogueReply(catalogue: Catalogue | null): Uint8Array {
  const out = beginReply(BackupRequest.getCatalogue);
  out.u8(catalogue === null ? 0 : 1);
  if (catalogue !== null) writeCatalogue(out, catalogue);
  return out.finish();
}

export function readCatalogueReply(bytes: Uint8Array): Catalogue | null {
  const reader = openReply(bytes, BackupRequest.getCatalogue);
  const catalogue = reader.u8() === 0 ? null : readCatalogue(reader);
  reader.end();
  return catalogue;
}

export function putCatalogueRequest(catalogue: Catalogue): Uint8Array {
  const out = beginRequest(BackupRequest.putCatalogue, catalogue.bytes.length + 64);
  writeCatalogue(out, catalogue);
  return out.finish();
}

export function readPutCatalogue(reader: ByteReader): Catalogue {
  const catalogue = readCatalogue(reader);
  reader.end();
  return catalogue;
}

export function putCatalogueReply(isStored: boolean): Uint8Array {
  const out = beginReply(BackupRequest.putCatalogue);
  out.u8(isStored ? 1 : 0);
  return out.finish();
}

export function readPutCatalogueReply(bytes: Uint8Array): boolean {
  const reader = openReply(bytes, BackupRequest.putCatalogue);
  const isStored = reader.u8() === 1;
  reader.end();
  return isStored;
}

function writeCatalogue(out: ByteWriter, catalogue: Catalogue): void {
  if (catalogue.bytes.length > CATALOGUE_BYTES_MAX)
    throw new NiobeError('TOO_LARGE', `a catalogue of ${catalogue.bytes.length} bytes exceeds ${CATALOGUE_BYTES_MAX}`, {
      maxBytes: CATALOGUE_BYTES_MAX,
    });
  out.u53(catalogue.revision);
  out.block(catalogue.bytes);
}

function readCatalogue(reader: ByteReader): Catalogue {
  const revision = reader.u53();
  const bytes = reader.block();
  if (bytes.length > CATALOGUE_BYTES_MAX)
    throw new NiobeError('MALFORMED', `a catalogue of ${bytes.length} bytes exceeds ${CATALOGUE_BYTES_MAX}`);
  return { revision, bytes };
}

export function registerRequest(partition: number, attempt: Attempt): Uint8Array {
  const out = beginRequest(BackupRequest.register);
  out.u16(partition);
  out.u32(attempt.epoch);
  out.text(attempt.owner);
  return out.finish();
}

export function readRegister(reader: ByteReader): { partition: number; attempt: Attempt } {
  const partition = readPartition(reader);
  const epoch = reader.u32();
  const owner = readOwner(reader);
  reader.end();
  return { partition, attempt: { epoch, owner } };
}

export function registerReply(registration: Registration): Uint8Array {
  const out = beginReply(BackupRequest.register);
  out.u8(registration.kind === 'OK' ? 0 : 2);
  if (registration.kind === 'OK') out.u53(registration.stream);
  else writePromise(out, registration.promised);
  return out.finish();
}

export function readRegisterReply(bytes: Uint8Array): Registration {
  const reader = openReply(bytes, BackupRequest.register);
  const registration: Registration =
    reader.u8() === 0 ? { kind: 'OK', stream: reader.u53() } : { kind: 'FENCED', promised: readPromise(reader) };
  reader.end();
  return registration;
}

export function inventoryRequest(request: InventoryRequest): Uint8Array {
  const out = beginRequest(BackupRequest.inventory);
  out.u8(request.withSegments ? 1 : 0);
  out.u16(request.partitions.length);
  for (const partition of request.partitions) out.u16(partition);
  return out.finish();
}

export function readInventory(reader: ByteReader): InventoryRequest {
  const withSegments = reader.u8() === 1;
  const count = reader.u16();
  if (count > INVENTORY_PARTITIONS_MAX) throw new NiobeError('MALFORMED', `an inventory of ${count} partitions`);
  const partitions = Array.from({ length: count }, () => readPartition(reader));
  reader.end();
  return { partitions, withSegments };
}

/** `TOO_LARGE` where the holdings do not fit in a message: ask for fewer partitions at a time. */
export function inventoryReply(holdings: readonly CopyHolding[]): Uint8Array {
  const out = beginReply(BackupRequest.inventory);
  out.u16(holdings.length);
  for (const holding of holdings) writeHolding(out, holding);
  return out.finish();
}

export function readInventoryReply(bytes: Uint8Array): CopyHolding[] {
  const reader = openReply(bytes, BackupRequest.inventory);
  const holdings = Array.from({ length: reader.u16() }, () => readHolding(reader));
  reader.end();
  return holdings;
}

/** Also the form of a copy in the manifest of the disk store. */
export function writeHolding(out: ByteWriter, holding: CopyHolding): void {
  out.u16(holding.partition);
  writePromise(out, holding.promised);
  out.u32(holding.completeEpoch);
  out.u32(holding.segments.length);
  for (const held of holding.segments) {
    out.u32(held.segment);
    out.u32(held.epoch);
    out.u32(held.heldBytes);
    out.u32(held.committedBytes);
  }
}

/** Reads {@link writeHolding}. Throws `MALFORMED`. */
export function readHolding(reader: ByteReader): CopyHolding {
  const partition = readPartition(reader);
  const promised = readPromise(reader);
  const completeEpoch = reader.u32();
  const count = reader.u32();
  if (count > SEGMENTS_PER_PARTITION_MAX || count * SEGMENT_ROW_BYTES > reader.remaining)
    throw new NiobeError('MALFORMED', `an inventory of ${count} segments of partition ${partition}`);
  const segments: SegmentHolding[] = [];
  for (let i = 0; i < count; i++)
    segments.push({
      segment: reader.u32(),
      epoch: reader.u32(),
      heldBytes: reader.u32(),
      committedBytes: reader.u32(),
    });
  return { partition, promised, completeEpoch, segments };
}

export function readRangeRequest(range: ReadRange): Uint8Array {
  const out = beginRequest(BackupRequest.read);
  out.u16(range.partition);
  out.u32(range.segment);
  out.u32(range.segmentEpoch);
  out.u32(range.offset);
  out.u32(range.bytes);
  return out.finish();
}

export function readReadRange(reader: ByteReader): ReadRange {
  const range = {
    partition: readPartition(reader),
    segment: reader.u32(),
    segmentEpoch: reader.u32(),
    offset: reader.u32(),
    bytes: reader.u32(),
  };
  reader.end();
  if (range.bytes > READ_BYTES_MAX)
    throw new NiobeError('MALFORMED', `a read of ${range.bytes} bytes; ${READ_BYTES_MAX} are allowed`);
  return range;
}

export function rangeReply(bytes: Uint8Array): Uint8Array {
  const out = beginReply(BackupRequest.read, bytes.length + 64);
  out.block(bytes);
  out.u32(crc32(bytes));
  return out.peek();
}

/** The bytes of a READ, a view of the reply. `MALFORMED` if they changed on their way. */
export function readRangeReply(reply: Uint8Array): Uint8Array {
  const reader = openReply(reply, BackupRequest.read);
  const bytes = reader.block();
  const checksum = reader.u32();
  reader.end();
  if (crc32(bytes) !== checksum) throw new NiobeError('MALFORMED', 'a reply to a read whose checksum does not hold');
  return bytes;
}

export function checkRequest(streams: readonly OpenStream[]): Uint8Array {
  const out = beginRequest(BackupRequest.check);
  out.u16(streams.length);
  for (const { partition, stream } of streams) {
    out.u16(partition);
    out.u53(stream);
  }
  return out.finish();
}

export function readCheck(reader: ByteReader): OpenStream[] {
  const count = reader.u16();
  if (count > PARTITIONS_MAX) throw new NiobeError('MALFORMED', `a check of ${count} streams`);
  const streams = Array.from({ length: count }, () => ({ partition: readPartition(reader), stream: reader.u53() }));
  reader.end();
  return streams;
}

export function checkReply(areOpen: readonly boolean[]): Uint8Array {
  const out = beginReply(BackupRequest.check);
  out.u16(areOpen.length);
  for (const isOpen of areOpen) out.u8(isOpen ? 1 : 0);
  return out.finish();
}

export function readCheckReply(bytes: Uint8Array): boolean[] {
  const reader = openReply(bytes, BackupRequest.check);
  const areOpen = Array.from({ length: reader.u16() }, () => reader.u8() === 1);
  reader.end();
  return areOpen;
}
