import { delay, isNiobeError, type Clock } from '@niobe/kernel';
import { validPrefix, type ValidPrefix } from '@niobe/store';
import { READ_BYTES_MAX } from '../limits.ts';
import type { BackupClient } from '../backup/backup-client.ts';
import type { SegmentHolding } from '../backup/backup-store.ts';
import type { ReachedCopy } from './reach-copies.ts';

/**
 * One segment in all its copies. They are beginnings of the same bytes, because one owner wrote the segment in one epoch, so what is
 * damaged in one copy can be taken from any other.
 */

const SPLICES_MAX = 256;
const BUSY_PAUSE_MS = 20;

/** A segment number together with the epoch that opened it. */
export interface SegmentName {
  readonly segment: number;
  readonly epoch: number;
}

/** What is wrong with a segment of one copy. */
export interface SegmentDamage {
  readonly backup: string;
  readonly segment: number;
  /** Where the first batch begins that does not check although it was durable. */
  readonly offset: number;
  /** Whether another copy has what is missing. */
  readonly isRepairable: boolean;
}

/** The longest valid beginning that can be had from all copies together. */
export interface AssembledSegment extends SegmentName {
  readonly bytes: Uint8Array;
  readonly lastCommit: ValidPrefix['lastCommit'];
  readonly damage: readonly SegmentDamage[];
}

interface Image {
  readonly backup: string;
  readonly bytes: Uint8Array;
  readonly committedBytes: number;
  readonly validBytes: number;
}

/** Reads a segment from every copy that holds it, at the same time, and puts it together. Throws what the reads throw. */
export async function assembleSegment(
  copies: readonly ReachedCopy[],
  partition: number,
  name: SegmentName,
  clock: Clock,
): Promise<AssembledSegment> {
  const images = await Promise.all(copies.map((copy) => readImage(copy, partition, name, clock)));
  return assemble(
    name,
    images.filter((image) => image !== null),
  );
}

async function readImage(
  { client, holding }: ReachedCopy,
  partition: number,
  { segment, epoch }: SegmentName,
  clock: Clock,
): Promise<Image | null> {
  const held = holding.segments.find((other) => other.segment === segment && other.epoch === epoch);
  if (held === undefined) return null;
  const bytes = await readWhole(client, partition, held, clock);
  return {
    backup: client.name,
    bytes,
    committedBytes: held.committedBytes,
    validBytes: validPrefix(bytes).validBytes,
  };
}

/** The bytes held; what cannot be read is zero, which no batch is. */
async function readWhole(
  client: BackupClient,
  partition: number,
  held: SegmentHolding,
  clock: Clock,
): Promise<Uint8Array> {
  const whole = new Uint8Array(held.heldBytes);
  for (let offset = 0; offset < whole.length;) {
    const bytes = Math.min(READ_BYTES_MAX, whole.length - offset);
    const range = { partition, segment: held.segment, segmentEpoch: held.epoch, offset, bytes };
    const piece = await readWhenFree(client, range, clock);
    if (piece.length === 0) break;
    whole.set(piece.subarray(0, bytes), offset);
    offset += piece.length;
  }
  return whole;
}

/** `BUSY` alone is waited for: it ends as the reads of others end. */
async function readWhenFree(
  client: BackupClient,
  range: Parameters<BackupClient['read']>[0],
  clock: Clock,
): Promise<Uint8Array> {
  for (;;) {
    try {
      return await client.read(range);
    } catch (error) {
      if (!isNiobeError(error, 'BUSY')) throw error;
    }
    await delay(clock, BUSY_PAUSE_MS);
  }
}

function assemble(name: SegmentName, images: readonly Image[]): AssembledSegment {
  const best = images.reduce((a, b) => (b.validBytes > a.validBytes ? b : a));
  const wantedBytes = Math.max(...images.map(({ committedBytes }) => committedBytes));
  const spliced = best.validBytes >= wantedBytes ? best.bytes : splice(best.bytes, images);
  const { validBytes, lastCommit } = validPrefix(spliced);
  const damage = images
    .filter((image) => image.validBytes < image.committedBytes)
    .map((image) => ({
      backup: image.backup,
      segment: name.segment,
      offset: image.validBytes,
      isRepairable: validBytes >= image.committedBytes,
    }));
  return { ...name, bytes: spliced.subarray(0, validBytes), lastCommit, damage };
}

/** Goes on where one copy stops being valid with the bytes of another, as long as that helps. O(splices x bytes). */
function splice(start: Uint8Array, images: readonly Image[]): Uint8Array {
  let spliced = start;
  for (let splices = 0; splices < SPLICES_MAX; splices++) {
    const { validBytes } = validPrefix(spliced);
    const longer = images
      .filter(({ bytes }) => bytes.length > validBytes)
      .map(({ bytes }) => joined(spliced.subarray(0, validBytes), bytes.subarray(validBytes)))
      .find((candidate) => validPrefix(candidate).validBytes > validBytes);
    if (longer === undefined) return spliced;
    spliced = longer;
  }
  return spliced;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
