import { ByteReader, ByteWriter, getU53, NiobeError } from '@niobe/kernel';
import { FRAME_BYTES, FRAME_BYTES_MAX, KEYS_PER_FRAME_MAX, REPLY_BYTES_MAX } from '../limits.ts';
import { appendRange } from './byte-range.ts';
import { errorOf, readRefusal, writeRefusal, type Refusal } from './failure.ts';
import { checkCount, checkEnd, readId, readKeyLength, readSectionCount } from './checks.ts';
import { FrameKind, readReplyHeader, readRequestHeader, writeReplyHeader, writeRequestHeader } from './header.ts';
import type { RequestHeader } from './header.ts';

/**
 * GET: many keys of many partitions in one frame.
 *
 *     request   header, u8 flags (1 = ids only), u16 sections, section ...
 *     section   u16 partition, u32 epoch (0 = whatever), u32 keys, u32 bytes of the keys, key ...
 *     key       u16 schema, u16 length, key bytes
 *
 *     reply     header, u16 sections, section ... in the order asked
 *     section   u16 partition, u8 status, then either refusal or u32 cells, u32 bytes of the cells, cell ... in the order asked
 *     cell      u8 state; if found: u53 id, u32 epoch, u53 seq, u32 expiresS, u32 body bytes, body
 *
 * Where only ids are asked for, bodies are left out: body bytes is 0. A reply that has become a full frame answers `LATER` for the rest; the asker asks again for those. The first cell always fits, so
 * each round answers at least one.
 */

const KEY_HEADER_BYTES = 4;
const SECTION_HEADER_BYTES = 14;
const FOUND_BYTES = 28;
const IDS_ONLY = 1;

/** What a reply says of one key. */
export const CellState = { ABSENT: 0, FOUND: 1, LATER: 2 } as const;

/** Writes GET requests. One builder is used over and over; sections and keys are appended as byte ranges. */
export class GetFrameBuilder {
  readonly #out: ByteWriter = new ByteWriter(FRAME_BYTES_MAX);
  #sections = 0;
  #sectionsAt = 0;
  #sectionAt = 0;
  #keys = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#out.length;
  }

  start(client: number, idsOnly = false): void {
    this.#out.reset();
    writeRequestHeader(this.#out, { kind: FrameKind.GET, client, serial: 0, deadlineMs: 0 });
    this.#out.u8(idsOnly ? IDS_ONLY : 0);
    this.#sectionsAt = this.#out.reserve(2);
    this.#sections = 0;
  }

  beginSection(partition: number, epoch: number): void {
    this.#sections += 1;
    this.#keys = 0;
    this.#out.u16(partition);
    this.#out.u32(epoch);
    this.#sectionAt = this.#out.reserve(8);
  }

  key(schemaId: number, bytes: Uint8Array, at: number, length: number): void {
    this.#keys += 1;
    this.#out.u16(schemaId);
    this.#out.u16(length);
    appendRange(this.#out, bytes, at, length);
  }

  endSection(): void {
    this.#out.patchU32(this.#sectionAt, this.#keys);
    this.#out.patchU32(this.#sectionAt + 4, this.#out.length - this.#sectionAt - 8);
  }

  /** A copy of the frame; {@link stampRequest} it before sending. */
  finish(): Uint8Array {
    this.#out.view.setUint16(this.#sectionsAt, this.#sections, true);
    return this.#out.finish();
  }
}

/** Walks a GET request: `while (nextSection()) while (nextKey())`. No object per key. */
export class GetRequest {
  readonly header: RequestHeader;
  readonly bytes: Uint8Array;
  /** The asker wants no bodies. */
  readonly idsOnly: boolean;
  readonly sections: number;
  /** Of the present section. */
  partition = 0;
  epoch = 0;
  keys = 0;
  /** Of the present key. */
  schemaId = 0;
  keyAt = 0;
  keyBytes = 0;
  readonly #view: DataView;
  #at: number;
  #sectionEnd: number;
  #sectionsLeft: number;

  /** Throws `MALFORMED` unless the whole frame can be walked. */
  constructor(bytes: Uint8Array) {
    const reader = new ByteReader(bytes);
    this.bytes = bytes;
    this.header = readRequestHeader(reader);
    this.idsOnly = (reader.u8() & IDS_ONLY) !== 0;
    this.sections = this.#sectionsLeft = readSectionCount(reader);
    this.#view = reader.view;
    this.#at = this.#sectionEnd = reader.at;
    let keys = 0;
    for (let i = 0; i < this.sections; i++) keys += checkKeys(reader);
    checkCount('keys', keys, KEYS_PER_FRAME_MAX);
    reader.end();
  }

  /** Goes to the next section, past keys that were not walked. */
  nextSection(): boolean {
    if (this.#sectionsLeft === 0) return false;
    this.#sectionsLeft -= 1;
    const at = this.#sectionEnd;
    this.partition = this.#view.getUint16(at, true);
    this.epoch = this.#view.getUint32(at + 2, true);
    this.keys = this.#view.getUint32(at + 6, true);
    this.#at = at + SECTION_HEADER_BYTES;
    this.#sectionEnd = this.#at + this.#view.getUint32(at + 10, true);
    return true;
  }

  nextKey(): boolean {
    if (this.#at === this.#sectionEnd) return false;
    this.schemaId = this.#view.getUint16(this.#at, true);
    this.keyBytes = this.#view.getUint16(this.#at + 2, true);
    this.keyAt = this.#at + KEY_HEADER_BYTES;
    this.#at = this.keyAt + this.keyBytes;
    return true;
  }
}

function checkKeys(reader: ByteReader): number {
  reader.take(6);
  const keys = reader.u32();
  const end = reader.u32() + reader.at;
  for (let i = 0; i < keys; i++) {
    reader.take(2);
    reader.take(readKeyLength(reader));
  }
  checkEnd(reader, end);
  return keys;
}

/** Writes GET replies. One builder is used over and over. */
export class GetReplyBuilder {
  readonly #out: ByteWriter = new ByteWriter(REPLY_BYTES_MAX, 65_536);
  #idsOnly = false;
  #cells = 0;
  #sectionAt = 0;

  /** Begins the reply to `request`; every section of it must be answered, in order. */
  start(request: GetRequest): void {
    this.#out.reset();
    writeReplyHeader(this.#out, FrameKind.GET, request.header.client, request.header.serial);
    this.#idsOnly = request.idsOnly;
    this.#out.u16(request.sections);
  }

  /** No further cell fits: answer {@link later} for the rest. */
  get full(): boolean {
    return this.#out.length >= FRAME_BYTES;
  }

  beginSection(partition: number): void {
    this.#cells = 0;
    this.#out.u16(partition);
    this.#out.u8(0);
    this.#sectionAt = this.#out.reserve(8);
  }

  /** The body is a byte range; it is left out where only ids were asked for. */
  found(
    id: number,
    epoch: number,
    seq: number,
    expiresS: number,
    bytes: Uint8Array,
    bodyAt: number,
    bodyBytes: number,
  ): void {
    this.#cells += 1;
    this.#out.u8(CellState.FOUND);
    this.#out.u53(id);
    this.#out.u32(epoch);
    this.#out.u53(seq);
    this.#out.u32(expiresS);
    const sentBytes = this.#idsOnly ? 0 : bodyBytes;
    this.#out.u32(sentBytes);
    appendRange(this.#out, bytes, bodyAt, sentBytes);
  }

  absent(): void {
    this.#cells += 1;
    this.#out.u8(CellState.ABSENT);
  }

  later(): void {
    this.#cells += 1;
    this.#out.u8(CellState.LATER);
  }

  endSection(): void {
    this.#out.patchU32(this.#sectionAt, this.#cells);
    this.#out.patchU32(this.#sectionAt + 4, this.#out.length - this.#sectionAt - 8);
  }

  /** Forgets what the present section has got and refuses it. */
  abandonSection(partition: number, refusal: Refusal): void {
    this.#out.truncate(this.#sectionAt - 3);
    this.refuse(partition, refusal);
  }

  /** Answers a section that was not begun with an error. */
  refuse(partition: number, refusal: Refusal): void {
    this.#out.u16(partition);
    writeRefusal(this.#out, refusal);
  }

  finish(): Uint8Array {
    return this.#out.finish();
  }
}

/** Walks a GET reply: `while (nextSection()) while (nextCell())`. */
export class GetReply {
  readonly bytes: Uint8Array;
  readonly sections: number;
  /** Of the present section; `refusal` is null where it was answered. */
  partition = 0;
  cells = 0;
  refusal: Refusal | null = null;
  /** Of the present cell; the rest holds only if it was found. */
  state: number = CellState.ABSENT;
  id = 0;
  epoch = 0;
  seq = 0;
  expiresS = 0;
  bodyAt = 0;
  bodyBytes = 0;
  readonly #reader: ByteReader;
  readonly #view: DataView;
  #cellsLeft = 0;
  #sectionsLeft: number;

  /** Throws the error of a refused request, and `MALFORMED` for bytes that are no reply. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#reader = new ByteReader(bytes);
    this.#view = this.#reader.view;
    if (readReplyHeader(this.#reader, FrameKind.GET) === 'failure')
      throw errorOf(readRefusal(this.#reader, this.#reader.u8()));
    this.sections = this.#sectionsLeft = this.#reader.u16();
  }

  /** Goes to the next section; the cells of the one before must have been walked. */
  nextSection(): boolean {
    if (this.#sectionsLeft === 0) return false;
    this.#sectionsLeft -= 1;
    this.partition = this.#reader.u16();
    const status = this.#reader.u8();
    this.refusal = status === 0 ? null : readRefusal(this.#reader, status);
    this.cells = this.#cellsLeft = status === 0 ? this.#reader.u32() : 0;
    if (status === 0) this.#reader.take(4);
    return true;
  }

  /** Throws `MALFORMED` where the reply ends early. */
  nextCell(): boolean {
    if (this.#cellsLeft === 0) return false;
    this.#cellsLeft -= 1;
    this.state = this.#reader.u8();
    if (this.state > CellState.LATER) throw new NiobeError('MALFORMED', `a cell of unknown state ${this.state}`);
    if (this.state === CellState.FOUND) this.#readFound();
    return true;
  }

  #readFound(): void {
    const at = this.#reader.take(FOUND_BYTES);
    this.id = readId(this.#view, at);
    this.epoch = this.#view.getUint32(at + 8, true);
    this.seq = getU53(this.#view, at + 12);
    this.expiresS = this.#view.getUint32(at + 20, true);
    this.bodyBytes = this.#view.getUint32(at + 24, true);
    this.bodyAt = this.#reader.take(this.bodyBytes);
  }
}
