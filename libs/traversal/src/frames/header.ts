import { errorOf, readRefusal, refusalOf, writeRefusal } from '@niobe/grid';
import { ByteReader, ByteWriter, NiobeError } from '@niobe/kernel';
import { PART_BYTES_MAX, REPLY_BYTES_MAX } from '../limits.ts';

/**
 * What all frames of the traversal protocol share. Little-endian; `u53` is a safe integer in 8 bytes, `text` and `block` carry their
 * length before them.
 *
 *     request   u8 protocol, u8 kind, u53 task, ...
 *     reply     u8 protocol, u8 kind | 0x80, u8 status, ...      status 0: fine; else the error's number in the catalogue + 1,
 *                                                               followed by text message, u32 retryAfterMs
 *
 * START, COLLECT and END come from the coordinator, FRONTIER from another shard. Each may be lost or come twice: a request that was
 * served before is answered alike and has no second effect.
 */

/** Version of the protocol; another one is refused. */
const TRAVERSE_PROTOCOL = 1;

/** Kinds of request. */
export const TraverseKind = { START: 1, FRONTIER: 2, COLLECT: 3, END: 4 } as const;

/** A kind of request. */
export type TraverseKindCode = (typeof TraverseKind)[keyof typeof TraverseKind];

/** What a request says of itself. */
export interface TraverseHeader {
  readonly kind: TraverseKindCode;
  readonly task: number;
}

const REPLY = 0x80;
const SMALL_FRAME_BYTES = 64;
/** A refusal's message is at most 400 characters. */
const REFUSAL_BYTES_MAX = 2048;

/** Begins a request; `bytes` is what it will about take. */
export function beginRequest(kind: TraverseKindCode, task: number, bytes: number = SMALL_FRAME_BYTES): ByteWriter {
  const out = new ByteWriter(PART_BYTES_MAX, bytes);
  writeHeader(out, kind, task);
  return out;
}

/** What a request begins with. */
export function writeHeader(out: ByteWriter, kind: TraverseKindCode, task: number): void {
  out.u8(TRAVERSE_PROTOCOL);
  out.u8(kind);
  out.u53(task);
}

/** Reads protocol, kind and task. Throws `MALFORMED`. */
export function readHeader(reader: ByteReader): TraverseHeader {
  readProtocol(reader);
  const kind = reader.u8();
  if (kind < TraverseKind.START || kind > TraverseKind.END)
    throw new NiobeError('MALFORMED', `a traversal request of unknown kind ${kind}`);
  return { kind: kind as TraverseKindCode, task: reader.u53() };
}

/** Begins the reply to a request that was served. */
export function beginReply(kind: TraverseKindCode, bytes: number = SMALL_FRAME_BYTES): ByteWriter {
  const out = new ByteWriter(REPLY_BYTES_MAX, bytes);
  out.u8(TRAVERSE_PROTOCOL);
  out.u8(kind | REPLY);
  out.u8(0);
  return out;
}

/** The reply to a request that was refused. */
export function refusalReply(request: Uint8Array, error: NiobeError): Uint8Array {
  const out = new ByteWriter(REFUSAL_BYTES_MAX);
  out.u8(TRAVERSE_PROTOCOL);
  out.u8((request[1] ?? 0) | REPLY);
  writeRefusal(out, refusalOf(error));
  return out.finish();
}

/** A reader behind the head of a reply. Throws the error that a refusal carries, and `MALFORMED`. */
export function openReply(bytes: Uint8Array, kind: TraverseKindCode): ByteReader {
  const reader = new ByteReader(bytes);
  readProtocol(reader);
  const answered = reader.u8();
  const status = reader.u8();
  if (status !== 0) throw errorOf(readRefusal(reader, status));
  if (answered !== (kind | REPLY))
    throw new NiobeError('MALFORMED', `a traversal reply of kind ${answered} to a request of kind ${kind}`);
  return reader;
}

function readProtocol(reader: ByteReader): void {
  const protocol = reader.u8();
  if (protocol !== TRAVERSE_PROTOCOL)
    throw new NiobeError(
      'MALFORMED',
      `a traversal frame of protocol ${protocol}; this service speaks ${TRAVERSE_PROTOCOL}`,
    );
}

/** A count that stands before items of at least `leastBytes` each. Throws `MALFORMED` for more than `most` or than the frame can hold. */
export function readCount(reader: ByteReader, what: string, most: number, leastBytes: number): number {
  const count = reader.u32();
  if (count > most || count * leastBytes > reader.remaining)
    throw new NiobeError('MALFORMED', `${count} ${what} exceed ${most} or what the frame holds`);
  return count;
}
