import { ByteReader, ByteWriter, getU53, setU53 } from '@niobe/kernel';
import { FRAME_BYTES, FRAME_BYTES_MAX, REPLY_BYTES_MAX } from '../limits.ts';
import { appendRange } from './byte-range.ts';
import { checkEnd, readId, readKeyLength, readSectionCount } from './checks.ts';
import { errorOf, readRefusal, writeRefusal, type Refusal } from './failure.ts';
import { FrameKind, readReplyHeader, readRequestHeader, writeReplyHeader, writeRequestHeader } from './header.ts';
import type { RequestHeader } from './header.ts';

/**
 * SCAN: the next rows of one schema in some partitions.
 *
 *     request   header, u16 schema, block clauses, u32 limitBytes, u16 sections, section ...
 *     section   u16 partition, u32 epoch (0 = whatever), u53 cursor (0 = from the start)
 *
 *     reply     header, u16 sections, section ... in the order asked
 *     section   u16 partition, u8 status, then either refusal or
 *               u8 done, u53 next cursor, u32 rows, u32 bytes of the rows, row ...
 *     row       u53 id, u32 epoch, u53 seq, u32 expiresS, u16 key bytes, u32 body bytes, key, body
 *
 * `clauses` is a predicate in the wire form of the cells library. A shard gives back about `limitBytes` of rows in all; a section it
 * did not come to is answered with no rows and its own cursor.
 */

const SECTION_BYTES = 14;
const SECTION_HEADER_BYTES = 18;
/** Of a row, up to the length of its key. */
const ROW_FIXED_BYTES = 24;

/** Which rows a scan wants, and how many bytes of them at once. */
export interface ScanWish {
  readonly schemaId: number;
  readonly clauses: Uint8Array;
  readonly limitBytes: number;
}

/** Where a scan goes on in one partition. */
export interface ScanPosition {
  readonly partition: number;
  readonly epoch: number;
  readonly cursor: number;
}

/** A SCAN request frame. */
export function scanFrame(client: number, wish: ScanWish, positions: readonly ScanPosition[]): Uint8Array {
  const out = new ByteWriter(FRAME_BYTES_MAX);
  writeRequestHeader(out, { kind: FrameKind.SCAN, client, serial: 0, deadlineMs: 0 });
  out.u16(wish.schemaId);
  out.block(wish.clauses);
  out.u32(wish.limitBytes);
  out.u16(positions.length);
  for (const position of positions) {
    out.u16(position.partition);
    out.u32(position.epoch);
    out.u53(position.cursor);
  }
  return out.finish();
}

/** Walks a SCAN request: `while (nextSection())`. */
export class ScanRequest {
  readonly header: RequestHeader;
  readonly schemaId: number;
  /** Shares memory with the frame; not checked here. */
  readonly clauses: Uint8Array;
  readonly limitBytes: number;
  readonly sections: number;
  /** Of the present section. */
  partition = 0;
  epoch = 0;
  cursor = 0;
  readonly #view: DataView;
  #at: number;
  #sectionsLeft: number;

  /** Throws `MALFORMED` unless the whole frame can be walked. `limitBytes` is cut to a full frame. */
  constructor(bytes: Uint8Array) {
    const reader = new ByteReader(bytes);
    this.header = readRequestHeader(reader);
    this.schemaId = reader.u16();
    this.clauses = reader.block();
    this.limitBytes = Math.min(FRAME_BYTES, reader.u32());
    this.sections = this.#sectionsLeft = readSectionCount(reader);
    this.#view = reader.view;
    this.#at = reader.at;
    for (let i = 0; i < this.sections; i++) {
      reader.take(6);
      reader.u53();
    }
    reader.end();
  }

  nextSection(): boolean {
    if (this.#sectionsLeft === 0) return false;
    this.#sectionsLeft -= 1;
    this.partition = this.#view.getUint16(this.#at, true);
    this.epoch = this.#view.getUint32(this.#at + 2, true);
    this.cursor = getU53(this.#view, this.#at + 6);
    this.#at += SECTION_BYTES;
    return true;
  }
}

/** Writes SCAN replies. One builder is used over and over. */
export class ScanReplyBuilder {
  readonly #out: ByteWriter = new ByteWriter(REPLY_BYTES_MAX, 65_536);
  #sectionAt = 0;
  #rows = 0;

  /** Bytes so far, to be held against `limitBytes`. */
  get length(): number {
    return this.#out.length;
  }

  /** Begins the reply to `request`; every section of it must be answered, in order. */
  start(request: ScanRequest): void {
    this.#out.reset();
    writeReplyHeader(this.#out, FrameKind.SCAN, request.header.client, request.header.serial);
    this.#out.u16(request.sections);
  }

  beginSection(partition: number): void {
    this.#rows = 0;
    this.#out.u16(partition);
    this.#sectionAt = this.#out.reserve(SECTION_HEADER_BYTES);
  }

  /** Key and body are byte ranges of the same bytes. */
  row(
    id: number,
    epoch: number,
    seq: number,
    expiresS: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
  ): void {
    this.#rows += 1;
    this.#out.u53(id);
    this.#out.u32(epoch);
    this.#out.u53(seq);
    this.#out.u32(expiresS);
    this.#out.u16(keyBytes);
    this.#out.u32(bodyBytes);
    appendRange(this.#out, bytes, keyAt, keyBytes);
    appendRange(this.#out, bytes, bodyAt, bodyBytes);
  }

  /** @param nextCursor where to go on; `null` when the partition has no more. */
  endSection(nextCursor: number | null): void {
    const view = this.#out.view;
    const at = this.#sectionAt;
    view.setUint8(at, 0);
    view.setUint8(at + 1, nextCursor === null ? 1 : 0);
    setU53(view, at + 2, nextCursor ?? 0);
    view.setUint32(at + 10, this.#rows, true);
    view.setUint32(at + 14, this.#out.length - at - SECTION_HEADER_BYTES, true);
  }

  /** Forgets what the present section has got and refuses it. */
  abandonSection(partition: number, refusal: Refusal): void {
    this.#out.truncate(this.#sectionAt - 2);
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

/** Walks a SCAN reply: `while (nextSection()) while (nextRow())`. */
export class ScanReply {
  readonly bytes: Uint8Array;
  readonly sections: number;
  /** Of the present section; `refusal` is null where it was answered. */
  partition = 0;
  refusal: Refusal | null = null;
  done = false;
  nextCursor = 0;
  rows = 0;
  /** Of the present row. */
  id = 0;
  epoch = 0;
  seq = 0;
  expiresS = 0;
  keyAt = 0;
  keyBytes = 0;
  bodyAt = 0;
  bodyBytes = 0;
  readonly #reader: ByteReader;
  #rowsLeft = 0;
  #rowsEnd = 0;
  #sectionsLeft: number;

  /** Throws the error of a refused request, and `MALFORMED` for bytes that are no reply. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#reader = new ByteReader(bytes);
    if (readReplyHeader(this.#reader, FrameKind.SCAN) === 'failure')
      throw errorOf(readRefusal(this.#reader, this.#reader.u8()));
    this.sections = this.#sectionsLeft = this.#reader.u16();
  }

  /** Goes to the next section, past rows that were not walked. Throws `MALFORMED` where the reply ends early. */
  nextSection(): boolean {
    if (this.#sectionsLeft === 0) return false;
    if (this.#rowsLeft > 0) this.#reader.take(this.#rowsEnd - this.#reader.at);
    this.#sectionsLeft -= 1;
    this.partition = this.#reader.u16();
    const status = this.#reader.u8();
    this.refusal = status === 0 ? null : readRefusal(this.#reader, status);
    this.rows = this.#rowsLeft = 0;
    if (status === 0) this.#readSectionHeader();
    return true;
  }

  /** Throws `MALFORMED` where the reply ends early. */
  nextRow(): boolean {
    if (this.#rowsLeft === 0) return false;
    this.#rowsLeft -= 1;
    const view = this.#reader.view;
    const at = this.#reader.take(ROW_FIXED_BYTES);
    this.id = readId(view, at);
    this.epoch = view.getUint32(at + 8, true);
    this.seq = getU53(view, at + 12);
    this.expiresS = view.getUint32(at + 20, true);
    this.keyBytes = readKeyLength(this.#reader);
    this.bodyBytes = this.#reader.u32();
    this.keyAt = this.#reader.take(this.keyBytes);
    this.bodyAt = this.#reader.take(this.bodyBytes);
    if (this.#rowsLeft === 0) checkEnd(this.#reader, this.#rowsEnd);
    return true;
  }

  #readSectionHeader(): void {
    this.done = this.#reader.u8() !== 0;
    this.nextCursor = this.#reader.u53();
    this.rows = this.#rowsLeft = this.#reader.u32();
    this.#rowsEnd = this.#reader.u32() + this.#reader.at;
    if (this.rows === 0) checkEnd(this.#reader, this.#rowsEnd);
  }
}
