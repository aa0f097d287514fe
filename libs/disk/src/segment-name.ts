import { join } from 'node:path';
import { crc32 } from '@niobe/kernel';
import { FORMAT_VERSION } from './journal-format.ts';
import { SEGMENT_HEADER_BYTES } from './limits.ts';

/** What a segment file is called and how it begins; FORMAT.md tells every byte. */

/** A segment of a copy; `epoch` is the one that opened it. */
export interface SegmentName {
  readonly partition: number;
  readonly segment: number;
  readonly epoch: number;
}

const MAGIC = new TextEncoder().encode('NIOBESEG');
const CHECKED_BYTES = 24;
const FILE_NAME = /^(\d{1,10})-(\d{1,10})\.segment$/;

/** The file of a segment below the folder of segments. */
export function segmentFile({ partition, segment, epoch }: SegmentName): string {
  return join(String(partition), `${segment}-${epoch}.segment`);
}

/** Reads a file's name back; null for any other file. */
export function readSegmentFile(partition: number, fileName: string): SegmentName | null {
  const match = FILE_NAME.exec(fileName);
  return match === null ? null : { partition, segment: Number(match[1]), epoch: Number(match[2]) };
}

/** What a segment file begins with. */
export function segmentHeader({ partition, segment, epoch }: SegmentName): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, partition, true);
  view.setUint32(16, segment, true);
  view.setUint32(20, epoch, true);
  view.setUint32(CHECKED_BYTES, crc32(bytes.subarray(0, CHECKED_BYTES)), true);
  return bytes;
}
