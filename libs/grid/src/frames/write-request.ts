import { CELL_BYTES_MAX } from '@niobe/cells';
import { assert, ByteReader, ByteWriter, getU53, NiobeError, setU53 } from '@niobe/kernel';
import { FRAME_BYTES_MAX, LINK_IDS_MAX } from '../limits.ts';
import { appendRange } from './byte-range.ts';
import { checkEnd, readKeyLength, readSectionCount } from './checks.ts';
import { FrameKind, readRequestHeader, writeRequestHeader, type RequestHeader } from './header.ts';

/**
 * WRITE: atomic batches for many partitions in one frame.
 *
 *     request   header, u8 ack, u8 flags (1 = versions wanted), u16 sections, section ...
 *     section   u16 partition, u32 epoch, u16 sources, u32 ops, u32 bytes of sources and ops, source ..., op ...
 *     source    text name, u53 from, u53 to, f64 watermark (NaN = none)
 *     op        u8 kind, u8 0, u16 schema, u16 key bytes, u16 0, u32 body bytes, u32 expiresS,
 *               for REPLACE and DELETE: u32 epoch, u53 seq (0, 0 = any version), key, body
 *
 * LINK adds neighbours to a vertex: its schema is one of adjacencies, its key the vertex's id, its body 1 to LINK_IDS_MAX ids of 8 bytes.
 * A section is one atomic batch, taken only if `applied[source] == from` for each of its sources. The reply is in write-reply.ts.
 */

/** Kinds of operation. */
export const OpKind = { PUT: 1, PUT_IF_ABSENT: 2, REPLACE: 3, DELETE: 4, MERGE: 5, LINK: 6 } as const;

/** A kind of operation. */
export type OpKindCode = (typeof OpKind)[keyof typeof OpKind];

/** When a write is answered: once it is in the owner's log, or once both backups have it on disk. */
export const Ack = { MEMORY: 0, DURABLE: 1 } as const;

/** When a write is answered. */
export type AckCode = (typeof Ack)[keyof typeof Ack];

const VERSIONS_WANTED = 1;
const SECTION_HEADER_BYTES = 16;
const OP_BYTES = 16;
const VERSION_BYTES = 12;
const ID_BYTES = 8;

/** Whether an operation of `kind` names a version. */
function isVersioned(kind: number): boolean {
  return kind === OpKind.REPLACE || kind === OpKind.DELETE;
}

/** Appends one source to a section's content. */
export function writeSource(out: ByteWriter, name: string, from: number, to: number, watermarkMs: number): void {
  out.text(name);
  out.u53(from);
  out.u53(to);
  out.f64(watermarkMs);
}

/** Appends one operation to a section's content; key and body are byte ranges. O(bytes), no allocation. */
export function writeOp(
  out: ByteWriter,
  kind: OpKindCode,
  schemaId: number,
  expiresS: number,
  key: Uint8Array,
  keyAt: number,
  keyBytes: number,
  body: Uint8Array,
  bodyAt: number,
  bodyBytes: number,
  versionEpoch = 0,
  versionSeq = 0,
): void {
  const versioned = isVersioned(kind);
  const at = out.reserve(versioned ? OP_BYTES + VERSION_BYTES : OP_BYTES);
  const view = out.view;
  view.setUint16(at, kind, true);
  view.setUint16(at + 2, schemaId, true);
  view.setUint32(at + 4, keyBytes, true);
  view.setUint32(at + 8, bodyBytes, true);
  view.setUint32(at + 12, expiresS, true);
  if (versioned) {
    view.setUint32(at + 16, versionEpoch, true);
    setU53(view, at + 20, versionSeq);
  }
  appendRange(out, key, keyAt, keyBytes);
  appendRange(out, body, bodyAt, bodyBytes);
}

/** Writes WRITE requests. One builder is used over and over; sections and operations are appended as byte ranges. */
export class WriteFrameBuilder {
  readonly #out: ByteWriter = new ByteWriter(FRAME_BYTES_MAX, 65_536);
  #sections = 0;
  #sectionsAt = 0;
  #sectionAt = 0;
  #sources = 0;
  #ops = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#out.length;
  }

  /** Sections so far. */
  get sections(): number {
    return this.#sections;
  }

  start(client: number, ack: AckCode, versionsWanted = false): void {
    this.#out.reset();
    writeRequestHeader(this.#out, { kind: FrameKind.WRITE, client, serial: 0, deadlineMs: 0 });
    this.#out.u8(ack);
    this.#out.u8(versionsWanted ? VERSIONS_WANTED : 0);
    this.#sectionsAt = this.#out.reserve(2);
    this.#sections = 0;
  }

  beginSection(partition: number, epoch: number): void {
    this.#sections += 1;
    this.#sources = 0;
    this.#ops = 0;
    this.#out.u16(partition);
    this.#out.u32(epoch);
    this.#sectionAt = this.#out.reserve(10);
  }

  /** Sources come before the operations of their section. */
  source(name: string, from: number, to: number, watermarkMs: number): void {
    assert(this.#ops === 0, 'sources come before operations');
    this.#sources += 1;
    writeSource(this.#out, name, from, to, watermarkMs);
  }

  /** See {@link writeOp}. */
  op(
    kind: OpKindCode,
    schemaId: number,
    expiresS: number,
    key: Uint8Array,
    keyAt: number,
    keyBytes: number,
    body: Uint8Array,
    bodyAt: number,
    bodyBytes: number,
    versionEpoch = 0,
    versionSeq = 0,
  ): void {
    this.#ops += 1;
    writeOp(
      this.#out,
      kind,
      schemaId,
      expiresS,
      key,
      keyAt,
      keyBytes,
      body,
      bodyAt,
      bodyBytes,
      versionEpoch,
      versionSeq,
    );
  }

  endSection(): void {
    const view = this.#out.view;
    view.setUint16(this.#sectionAt, this.#sources, true);
    view.setUint32(this.#sectionAt + 2, this.#ops, true);
    view.setUint32(this.#sectionAt + 6, this.#out.length - this.#sectionAt - 10, true);
  }

  /** Appends a section whose content was made before by {@link writeSource} and {@link writeOp}. */
  preparedSection(partition: number, epoch: number, sources: number, ops: number, content: Uint8Array): void {
    this.beginSection(partition, epoch);
    this.#sources = sources;
    this.#ops = ops;
    this.#out.raw(content);
    this.endSection();
  }

  /** A copy of the frame; {@link stampRequest} it before sending. */
  finish(): Uint8Array {
    this.#out.view.setUint16(this.#sectionsAt, this.#sections, true);
    return this.#out.finish();
  }
}

/** Walks a WRITE request: `while (nextSection()) { while (nextSource()); while (nextOp()); }`. No object per source or operation. */
export class WriteRequest {
  readonly header: RequestHeader;
  readonly bytes: Uint8Array;
  readonly ack: AckCode;
  readonly versionsWanted: boolean;
  readonly sections: number;
  /** Of the present section. */
  partition = 0;
  epoch = 0;
  sources = 0;
  ops = 0;
  /** Of the present source; its name is UTF-8 that was not checked. */
  nameAt = 0;
  nameBytes = 0;
  from = 0;
  to = 0;
  /** NaN = none. */
  watermarkMs: number = NaN;
  /** Of the present operation; the version is (0, 0) where any is meant or none applies. */
  kind: OpKindCode = OpKind.PUT;
  schemaId = 0;
  expiresS = 0;
  versionEpoch = 0;
  versionSeq = 0;
  keyAt = 0;
  keyBytes = 0;
  bodyAt = 0;
  bodyBytes = 0;
  readonly #view: DataView;
  #at: number;
  #sectionEnd: number;
  #sectionsLeft: number;
  #sourcesLeft = 0;

  /** Throws `MALFORMED` unless the whole frame can be walked. */
  constructor(bytes: Uint8Array) {
    const reader = new ByteReader(bytes);
    this.bytes = bytes;
    this.header = readRequestHeader(reader);
    this.ack = readAck(reader);
    this.versionsWanted = (reader.u8() & VERSIONS_WANTED) !== 0;
    this.sections = this.#sectionsLeft = readSectionCount(reader);
    this.#view = reader.view;
    this.#at = this.#sectionEnd = reader.at;
    for (let i = 0; i < this.sections; i++) checkSection(reader);
    reader.end();
  }

  /** Goes to the next section, past what was not walked of the present one. */
  nextSection(): boolean {
    if (this.#sectionsLeft === 0) return false;
    this.#sectionsLeft -= 1;
    const at = this.#sectionEnd;
    this.partition = this.#view.getUint16(at, true);
    this.epoch = this.#view.getUint32(at + 2, true);
    this.sources = this.#sourcesLeft = this.#view.getUint16(at + 6, true);
    this.ops = this.#view.getUint32(at + 8, true);
    this.#at = at + SECTION_HEADER_BYTES;
    this.#sectionEnd = this.#at + this.#view.getUint32(at + 12, true);
    return true;
  }

  nextSource(): boolean {
    if (this.#sourcesLeft === 0) return false;
    this.#sourcesLeft -= 1;
    this.nameBytes = this.#view.getUint16(this.#at, true);
    this.nameAt = this.#at + 2;
    const at = this.nameAt + this.nameBytes;
    this.from = getU53(this.#view, at);
    this.to = getU53(this.#view, at + 8);
    this.watermarkMs = this.#view.getFloat64(at + 16, true);
    this.#at = at + 24;
    return true;
  }

  /** All sources of the section must have been walked. */
  nextOp(): boolean {
    assert(this.#sourcesLeft === 0, 'sources are walked before operations');
    if (this.#at === this.#sectionEnd) return false;
    const view = this.#view;
    const at = this.#at;
    this.kind = this.bytes[at] as OpKindCode;
    this.schemaId = view.getUint16(at + 2, true);
    this.keyBytes = view.getUint32(at + 4, true);
    this.bodyBytes = view.getUint32(at + 8, true);
    this.expiresS = view.getUint32(at + 12, true);
    const versioned = isVersioned(this.kind);
    this.versionEpoch = versioned ? view.getUint32(at + 16, true) : 0;
    this.versionSeq = versioned ? getU53(view, at + 20) : 0;
    this.keyAt = at + (versioned ? OP_BYTES + VERSION_BYTES : OP_BYTES);
    this.bodyAt = this.keyAt + this.keyBytes;
    this.#at = this.bodyAt + this.bodyBytes;
    return true;
  }
}

function readAck(reader: ByteReader): AckCode {
  const ack = reader.u8();
  if (ack !== Ack.MEMORY && ack !== Ack.DURABLE) throw new NiobeError('MALFORMED', `a write with unknown ack ${ack}`);
  return ack;
}

function checkSection(reader: ByteReader): void {
  reader.take(6);
  const sources = reader.u16();
  const ops = reader.u32();
  const end = reader.u32() + reader.at;
  for (let i = 0; i < sources; i++) checkSource(reader);
  for (let i = 0; i < ops; i++) checkOp(reader);
  checkEnd(reader, end);
}

function checkSource(reader: ByteReader): void {
  const nameBytes = readKeyLength(reader);
  reader.take(nameBytes);
  const from = reader.u53();
  const to = reader.u53();
  if (to < from) throw new NiobeError('MALFORMED', `a source that goes back from ${from} to ${to}`);
  reader.take(8);
}

function checkOp(reader: ByteReader): void {
  const kind = reader.u8();
  if (kind < OpKind.PUT || kind > OpKind.LINK || reader.u8() !== 0)
    throw new NiobeError('MALFORMED', `an operation of unknown kind ${kind} before byte ${reader.at}`);
  reader.take(2);
  const keyBytes = readKeyLength(reader);
  if (reader.u16() !== 0)
    throw new NiobeError('MALFORMED', `an operation's zero bytes are not zero before byte ${reader.at}`);
  const bodyBytes = reader.u32();
  if (keyBytes + bodyBytes > CELL_BYTES_MAX)
    throw new NiobeError('MALFORMED', `a cell of ${keyBytes + bodyBytes} bytes exceeds ${CELL_BYTES_MAX}`);
  if (kind === OpKind.LINK) checkLink(keyBytes, bodyBytes);
  reader.take(4);
  if (isVersioned(kind)) {
    reader.take(4);
    reader.u53();
  }
  reader.take(keyBytes);
  reader.take(bodyBytes);
}

function checkLink(keyBytes: number, bodyBytes: number): void {
  if (keyBytes !== ID_BYTES) throw new NiobeError('MALFORMED', `a link from a key of ${keyBytes} bytes, not of one id`);
  if (bodyBytes === 0 || bodyBytes % ID_BYTES !== 0 || bodyBytes > LINK_IDS_MAX * ID_BYTES)
    throw new NiobeError('MALFORMED', `a link to ${bodyBytes / ID_BYTES} ids, not to 1 to ${LINK_IDS_MAX}`);
}
