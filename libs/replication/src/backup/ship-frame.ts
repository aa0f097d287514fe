import { NiobeError, type ByteReader, type ByteWriter } from '@niobe/kernel';
import { SECTIONS_PER_FRAME_MAX, SEGMENT_BYTES_MAX } from '../limits.ts';
import { OK, type Attempt, type Change, type Verdict } from './backup-store.ts';
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
 * SHIP: changes of many partitions, answered together after one fdatasync.
 *
 *     request   text owner, u16 sections, sections
 *     section   u16 partition, u32 epoch, u53 stream, u32 order, u8 kind, fields
 *     append    u32 segment, u32 segmentEpoch, u32 offset, u32 committedBytes, block
 *     repair    u32 segment, u32 segmentEpoch, u32 offset, block
 *     truncate  u32 segment, u32 segmentEpoch, u32 length
 *     free      u32 segment, u32 segmentEpoch
 *     complete  u32 completeEpoch
 *     reply     u16 sections, each u8 verdict: 0 OK | 1 GAP, u32 heldBytes | 2 FENCED, promise | 3 STALE
 *
 * `stream` is what the backup server gave at registration and `order` counts the sections of the partition from 1: a section that
 * comes doubled, late, or after another was lost has no effect. A doubled one is OK, the others are STALE: register again.
 */

/** One section as it is sent. */
export interface ShipSection {
  readonly partition: number;
  readonly epoch: number;
  readonly stream: number;
  readonly order: number;
  readonly change: Change;
}

/** A SHIP request as it is read; bytes of changes are views of the frame. */
export interface ShipRequest {
  readonly owner: string;
  readonly sections: readonly ShipSection[];
}

/** Answer of one section. */
export type ShipVerdict = Verdict | { readonly kind: 'STALE' };

/** The verdict of a section out of its order. */
export const STALE: ShipVerdict = { kind: 'STALE' };

/** Bytes of a section besides its payload, at most. */
export const SECTION_OVERHEAD_BYTES = 40;

const ChangeCode = { append: 1, repair: 2, truncate: 3, free: 4, complete: 5 } as const;
const VerdictCode = { OK: 0, GAP: 1, FENCED: 2, STALE: 3 } as const;

/** Writes one SHIP request after the other; its buffer stays, so that a frame costs its own length and not that of the longest. */
export class ShipFrameWriter {
  readonly #out: ByteWriter;
  readonly #countAt: number;
  readonly #headBytes: number;
  #sections = 0;

  /** @param bytes room to begin with. */
  constructor(owner: string, bytes: number) {
    this.#out = beginRequest(BackupRequest.ship, bytes);
    this.#out.text(owner);
    this.#countAt = this.#out.reserve(2);
    this.#headBytes = this.#out.length;
  }

  /** Begins the next frame. */
  begin(): void {
    this.#out.truncate(this.#headBytes);
    this.#sections = 0;
  }

  get sections(): number {
    return this.#sections;
  }

  get length(): number {
    return this.#out.length;
  }

  add(section: ShipSection): void {
    const out = this.#out;
    out.u16(section.partition);
    out.u32(section.epoch);
    out.u53(section.stream);
    out.u32(section.order);
    writeChange(out, section.change);
    this.#sections += 1;
  }

  /** A copy of the frame. */
  finish(): Uint8Array {
    this.#out.view.setUint16(this.#countAt, this.#sections, true);
    return this.#out.finish();
  }
}

function writeChange(out: ByteWriter, change: Change): void {
  if (change.kind === 'register') throw new NiobeError('BAD_REQUEST', 'a registration is a request of its own');
  out.u8(ChangeCode[change.kind]);
  if (change.kind === 'complete') return out.u32(change.completeEpoch);
  out.u32(change.segment);
  out.u32(change.segmentEpoch);
  if (change.kind === 'free') return;
  out.u32(change.kind === 'truncate' ? change.length : change.offset);
  if (change.kind === 'append') out.u32(change.committedBytes);
  if (change.kind !== 'truncate') out.block(change.bytes);
}

/** Reads a SHIP request behind its kind. Throws `MALFORMED`. */
export function readShipRequest(reader: ByteReader): ShipRequest {
  const owner = readOwner(reader);
  const count = reader.u16();
  if (count > SECTIONS_PER_FRAME_MAX)
    throw new NiobeError('MALFORMED', `${count} sections in a frame; ${SECTIONS_PER_FRAME_MAX} are allowed`);
  const sections: ShipSection[] = [];
  for (let i = 0; i < count; i++) sections.push(readSection(reader));
  reader.end();
  return { owner, sections };
}

function readSection(reader: ByteReader): ShipSection {
  const partition = readPartition(reader);
  const epoch = reader.u32();
  const stream = reader.u53();
  const order = reader.u32();
  return { partition, epoch, stream, order, change: readChange(reader) };
}

function readChange(reader: ByteReader): Change {
  const code = reader.u8();
  if (code === ChangeCode.complete) return { kind: 'complete', completeEpoch: reader.u32() };
  if (code < ChangeCode.append || code > ChangeCode.complete)
    throw new NiobeError('MALFORMED', `a change of unknown kind ${code} at byte ${reader.at - 1}`);
  const at = { segment: reader.u32(), segmentEpoch: reader.u32() };
  if (code === ChangeCode.free) return { kind: 'free', ...at };
  if (code === ChangeCode.truncate) return { kind: 'truncate', ...at, length: checkOffset(reader.u32()) };
  const offset = reader.u32();
  if (code === ChangeCode.repair) return { kind: 'repair', ...at, offset, bytes: readPiece(reader, offset) };
  const committedBytes = reader.u32();
  const bytes = readPiece(reader, offset);
  if (committedBytes > offset + bytes.length)
    throw new NiobeError(
      'MALFORMED',
      `a piece up to ${offset + bytes.length} claims ${committedBytes} committed bytes`,
    );
  return { kind: 'append', ...at, offset, committedBytes, bytes };
}

function readPiece(reader: ByteReader, offset: number): Uint8Array {
  const bytes = reader.block();
  checkOffset(offset + bytes.length);
  return bytes;
}

function checkOffset(offset: number): number {
  if (offset > SEGMENT_BYTES_MAX)
    throw new NiobeError('MALFORMED', `offset ${offset} is beyond the longest segment, ${SEGMENT_BYTES_MAX}`);
  return offset;
}

/** The reply to a SHIP request, a verdict a section. */
export function shipReply(verdicts: readonly ShipVerdict[]): Uint8Array {
  const out = beginReply(BackupRequest.ship);
  out.u16(verdicts.length);
  for (const verdict of verdicts) {
    out.u8(VerdictCode[verdict.kind]);
    if (verdict.kind === 'GAP') out.u32(verdict.heldBytes);
    else if (verdict.kind === 'FENCED') writePromise(out, verdict.promised);
  }
  return out.finish();
}

/** Reads {@link shipReply}. Throws `MALFORMED` and the error of a refusal. */
export function readShipReply(bytes: Uint8Array): ShipVerdict[] {
  const reader = openReply(bytes, BackupRequest.ship);
  const verdicts: ShipVerdict[] = [];
  for (let left = reader.u16(); left > 0; left--) verdicts.push(readVerdict(reader));
  reader.end();
  return verdicts;
}

function readVerdict(reader: ByteReader): ShipVerdict {
  const code = reader.u8();
  if (code === VerdictCode.OK) return OK;
  if (code === VerdictCode.GAP) return { kind: 'GAP', heldBytes: reader.u32() };
  if (code === VerdictCode.FENCED) return { kind: 'FENCED', promised: readPromise(reader) as Attempt | null };
  if (code === VerdictCode.STALE) return STALE;
  throw new NiobeError('MALFORMED', `a verdict of unknown kind ${code}`);
}
