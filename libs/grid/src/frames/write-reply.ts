import { ByteReader, ByteWriter, getU53 } from '@niobe/kernel';
import { REPLY_BYTES_MAX } from '../limits.ts';
import { errorOf, readRefusal, writeRefusal, type Refusal } from './failure.ts';
import { FrameKind, readReplyHeader, writeReplyHeader } from './header.ts';
import type { WriteRequest } from './write-request.ts';

/**
 * The answer to a WRITE.
 *
 *     reply     header, u16 sections, section ... in the order asked
 *     section   u16 partition, u8 status,
 *               fine:   u32 commit epoch, u53 commit seq, offsets, u32 versions, version ...
 *               else:   refusal, u32 op at fault (0xffffffff = none), offsets
 *     offsets   u16 count, u53 present offset of each source in the order asked (none where the partition is not served)
 *     version   u32 epoch, u53 seq of the cell after its operation, in the order asked; only where wanted
 */

const NO_OP = 0xffff_ffff;
const VERSION_BYTES = 12;

/** Writes WRITE replies. One builder is used over and over. */
export class WriteReplyBuilder {
  readonly #out: ByteWriter = new ByteWriter(REPLY_BYTES_MAX);
  #versionsAt = 0;
  #versions = 0;

  /** Begins the reply to `request`; every section of it must be answered, in order. */
  start(request: WriteRequest): void {
    this.#out.reset();
    writeReplyHeader(this.#out, FrameKind.WRITE, request.header.client, request.header.serial);
    this.#out.u16(request.sections);
  }

  /** The section was taken; {@link version} follows for each operation if versions were asked for, then {@link endSection}. */
  beginCommitted(partition: number, epoch: number, seq: number, presentOffsets: readonly number[]): void {
    this.#out.u16(partition);
    this.#out.u8(0);
    this.#out.u32(epoch);
    this.#out.u53(seq);
    this.#offsets(presentOffsets);
    this.#versionsAt = this.#out.reserve(4);
    this.#versions = 0;
  }

  version(epoch: number, seq: number): void {
    this.#versions += 1;
    this.#out.u32(epoch);
    this.#out.u53(seq);
  }

  endSection(): void {
    this.#out.patchU32(this.#versionsAt, this.#versions);
  }

  /** The section changed nothing. `opIndex` is the operation at fault, -1 if it is none. */
  refuse(partition: number, refusal: Refusal, opIndex: number = -1, presentOffsets: readonly number[] = []): void {
    this.#out.u16(partition);
    writeRefusal(this.#out, refusal);
    this.#out.u32(opIndex < 0 ? NO_OP : opIndex);
    this.#offsets(presentOffsets);
  }

  finish(): Uint8Array {
    return this.#out.finish();
  }

  #offsets(presentOffsets: readonly number[]): void {
    this.#out.u16(presentOffsets.length);
    for (const offset of presentOffsets) this.#out.u53(offset);
  }
}

/** Walks a WRITE reply: `while (nextSection())`. */
export class WriteReply {
  readonly sections: number;
  /** Of the present section; `refusal` is null where it was taken. */
  partition = 0;
  refusal: Refusal | null = null;
  commitEpoch = 0;
  commitSeq = 0;
  /** The operation at fault, or -1. */
  opIndex = -1;
  presentOffsets: number[] = [];
  versions = 0;
  readonly #reader: ByteReader;
  #versionsAt = 0;
  #sectionsLeft: number;

  /** Throws the error of a refused request, and `MALFORMED` for bytes that are no reply. */
  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes);
    if (readReplyHeader(this.#reader, FrameKind.WRITE) === 'failure')
      throw errorOf(readRefusal(this.#reader, this.#reader.u8()));
    this.sections = this.#sectionsLeft = this.#reader.u16();
  }

  /** Throws `MALFORMED` where the reply ends early. */
  nextSection(): boolean {
    if (this.#sectionsLeft === 0) return false;
    this.#sectionsLeft -= 1;
    this.partition = this.#reader.u16();
    const status = this.#reader.u8();
    if (status === 0) this.#readCommitted();
    else this.#readRefused(status);
    return true;
  }

  /** Epoch of the cell of operation `index` of the present section, after it. */
  versionEpoch(index: number): number {
    return this.#reader.view.getUint32(this.#versionsAt + index * VERSION_BYTES, true);
  }

  /** Seq of the cell of operation `index` of the present section, after it. */
  versionSeq(index: number): number {
    return getU53(this.#reader.view, this.#versionsAt + index * VERSION_BYTES + 4);
  }

  #readCommitted(): void {
    this.refusal = null;
    this.opIndex = -1;
    this.commitEpoch = this.#reader.u32();
    this.commitSeq = this.#reader.u53();
    this.presentOffsets = this.#readOffsets();
    this.versions = this.#reader.u32();
    this.#versionsAt = this.#reader.take(this.versions * VERSION_BYTES);
  }

  #readRefused(status: number): void {
    this.refusal = readRefusal(this.#reader, status);
    const opIndex = this.#reader.u32();
    this.opIndex = opIndex === NO_OP ? -1 : opIndex;
    this.commitEpoch = this.commitSeq = this.versions = 0;
    this.presentOffsets = this.#readOffsets();
  }

  #readOffsets(): number[] {
    const count = this.#reader.u16();
    const offsets: number[] = [];
    for (let i = 0; i < count; i++) offsets.push(this.#reader.u53());
    return offsets;
  }
}
