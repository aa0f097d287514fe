import { errorOf, readRefusal, refusalOf, writeRefusal } from '@niobe/grid';
import { ByteReader, ByteWriter, NiobeError } from '@niobe/kernel';
import { OWNER_BYTES_MAX, PARTITIONS_MAX, REQUEST_BYTES_MAX } from '../limits.ts';
import type { Attempt } from './backup-store.ts';

/**
 * What all frames of the backup protocol share. Little-endian; `text` and `block` carry their length before them.
 *
 *     request   u8 protocol, u8 kind, ...
 *     reply     u8 protocol, u8 kind | 0x80, u8 status, ...      status 0: fine; else the error's number in the catalogue + 1,
 *                                                               followed by text message, u32 retryAfterMs
 *
 * A reply with an error means that nothing of the request was done, except where the error is `UNAVAILABLE`.
 */

/** Version of the protocol; another one is refused. */
const BACKUP_PROTOCOL = 1;

/** Kinds of request. */
export const BackupRequest = {
  getCatalogue: 1,
  putCatalogue: 2,
  register: 3,
  inventory: 4,
  read: 5,
  ship: 6,
  check: 7,
} as const;

/** A kind of request. */
export type BackupRequestKind = (typeof BackupRequest)[keyof typeof BackupRequest];

const REPLY = 0x80;
const SMALL_FRAME_BYTES = 256;
/** A refusal's message is at most 400 characters. */
const REFUSAL_BYTES_MAX = 2048;

/** Begins a request; `bytes` is what it will about take. */
export function beginRequest(kind: BackupRequestKind, bytes: number = SMALL_FRAME_BYTES): ByteWriter {
  const out = new ByteWriter(REQUEST_BYTES_MAX, bytes);
  out.u8(BACKUP_PROTOCOL);
  out.u8(kind);
  return out;
}

/** Reads the protocol and the kind of a request. Throws `MALFORMED`. */
export function readRequestKind(reader: ByteReader): BackupRequestKind {
  readProtocol(reader);
  const kind = reader.u8();
  if (kind < BackupRequest.getCatalogue || kind > BackupRequest.check)
    throw new NiobeError('MALFORMED', `a backup request of unknown kind ${kind}`);
  return kind as BackupRequestKind;
}

/** Begins the reply to a request that was served. */
export function beginReply(kind: BackupRequestKind, bytes: number = SMALL_FRAME_BYTES): ByteWriter {
  const out = new ByteWriter(REQUEST_BYTES_MAX, bytes);
  out.u8(BACKUP_PROTOCOL);
  out.u8(kind | REPLY);
  out.u8(0);
  return out;
}

/** The reply to a request that was refused. */
export function refusalReply(kind: number, error: NiobeError): Uint8Array {
  const out = new ByteWriter(REFUSAL_BYTES_MAX);
  out.u8(BACKUP_PROTOCOL);
  out.u8(kind | REPLY);
  writeRefusal(out, refusalOf(error));
  return out.finish();
}

/** A reader behind the head of a reply. Throws the error that a refusal carries, and `MALFORMED`. */
export function openReply(bytes: Uint8Array, kind: BackupRequestKind): ByteReader {
  const reader = new ByteReader(bytes);
  readProtocol(reader);
  const answered = reader.u8();
  const status = reader.u8();
  if (status !== 0) throw errorOf(readRefusal(reader, status));
  if (answered !== (kind | REPLY))
    throw new NiobeError('MALFORMED', `a backup reply of kind ${answered} to a request of kind ${kind}`);
  return reader;
}

function readProtocol(reader: ByteReader): void {
  const protocol = reader.u8();
  if (protocol !== BACKUP_PROTOCOL)
    throw new NiobeError('MALFORMED', `a backup frame of protocol ${protocol}; this service speaks ${BACKUP_PROTOCOL}`);
}

/** Reads a partition number. Throws `MALFORMED`. */
export function readPartition(reader: ByteReader): number {
  const partition = reader.u16();
  if (partition >= PARTITIONS_MAX) throw new NiobeError('MALFORMED', `partition ${partition} is out of range`);
  return partition;
}

/** Reads an owner's name. Throws `MALFORMED`. */
export function readOwner(reader: ByteReader): string {
  const start = reader.at;
  const owner = reader.text();
  if (owner.length === 0 || reader.at - start - 2 > OWNER_BYTES_MAX)
    throw new NiobeError(
      'MALFORMED',
      `an owner of ${reader.at - start - 2} bytes; 1 to ${OWNER_BYTES_MAX} are allowed`,
    );
  return owner;
}

/** Writes an attempt or its absence. */
export function writePromise(out: ByteWriter, promised: Attempt | null): void {
  out.u32(promised?.epoch ?? 0);
  out.text(promised?.owner ?? '');
}

/** Reads what {@link writePromise} wrote. */
export function readPromise(reader: ByteReader): Attempt | null {
  const epoch = reader.u32();
  const owner = reader.text();
  return epoch === 0 && owner === '' ? null : { epoch, owner };
}
