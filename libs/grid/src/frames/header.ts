import { NiobeError, type ByteReader, type ByteWriter } from '@niobe/kernel';

/**
 * What every frame of the shard protocol begins with.
 *
 *     request   u8 protocol, u8 kind, u32 client, u32 serial, u32 deadlineMs, ...sections
 *     reply     u8 protocol, u8 kind | 0x80, u32 client, u32 serial, ...sections
 *     failure   u8 protocol, u8 0xff, u32 client, u32 serial, error
 *
 * (client, serial) is the request's id: a hash of the client's identity and its count of requests. `deadlineMs` is the time the
 * asker still waits when it sends. All numbers are little-endian; `u53` is a safe integer in 8 bytes, `text` is UTF-8 after its u16
 * length. Readers check a frame whole when it is opened, so that walking it afterwards can neither fail nor pass its end.
 */

/** Version of the protocol; another one is refused. */
export const PROTOCOL = 2;

/** Kinds of request. */
export const FrameKind = { GET: 1, WRITE: 2, SCAN: 3, MEMORY: 4 } as const;

/** A kind of request. */
export type FrameKindCode = (typeof FrameKind)[keyof typeof FrameKind];

const REPLY = 0x80;
const FAILURE = 0xff;
const DEADLINE_AT = 10;

/** What a request frame says of itself. */
export interface RequestHeader {
  readonly kind: FrameKindCode;
  readonly client: number;
  readonly serial: number;
  readonly deadlineMs: number;
}

/** Begins a request. */
export function writeRequestHeader(out: ByteWriter, header: RequestHeader): void {
  out.u8(PROTOCOL);
  out.u8(header.kind);
  out.u32(header.client);
  out.u32(header.serial);
  out.u32(header.deadlineMs);
}

/** Sets the serial and the time left in a finished request frame, just before it is sent (again). */
export function stampRequest(frame: Uint8Array, serial: number, deadlineMs: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  view.setUint32(DEADLINE_AT - 4, serial, true);
  view.setUint32(DEADLINE_AT, Math.max(0, Math.min(0xffff_ffff, Math.floor(deadlineMs))), true);
}

/** Begins a reply to a request of `kind`. */
export function writeReplyHeader(out: ByteWriter, kind: FrameKindCode, client: number, serial: number): void {
  out.u8(PROTOCOL);
  out.u8(kind | REPLY);
  out.u32(client);
  out.u32(serial);
}

/** Begins the answer to a request that failed as a whole. */
export function writeFailureHeader(out: ByteWriter, client: number, serial: number): void {
  out.u8(PROTOCOL);
  out.u8(FAILURE);
  out.u32(client);
  out.u32(serial);
}

/** Reads a request's header. Throws `MALFORMED` for another protocol or kind. */
export function readRequestHeader(reader: ByteReader): RequestHeader {
  readProtocol(reader);
  const kind = reader.u8();
  if (!isKind(kind)) throw new NiobeError('MALFORMED', `a frame of unknown kind ${kind}`);
  return { kind, client: reader.u32(), serial: reader.u32(), deadlineMs: reader.u32() };
}

function isKind(kind: number): kind is FrameKindCode {
  return kind >= FrameKind.GET && kind <= FrameKind.MEMORY;
}

/** Reads a reply's header up to where its sections or its error begin. Throws `MALFORMED` if it answers something else. */
export function readReplyHeader(reader: ByteReader, kind: FrameKindCode): 'sections' | 'failure' {
  readProtocol(reader);
  const answered = reader.u8();
  reader.take(8);
  if (answered === FAILURE) return 'failure';
  if (answered !== (kind | REPLY))
    throw new NiobeError('MALFORMED', `a reply of kind ${answered} to a request of kind ${kind}`);
  return 'sections';
}

function readProtocol(reader: ByteReader): void {
  const protocol = reader.u8();
  if (protocol !== PROTOCOL)
    throw new NiobeError('MALFORMED', `a frame of protocol ${protocol}; this service speaks ${PROTOCOL}`);
}
