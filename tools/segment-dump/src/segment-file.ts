import { readFileSync, statSync } from 'node:fs';
import { NiobeError } from '@niobe/kernel';
import { SEGMENT_HEADER_BYTES } from '@niobe/disk';

/** A segment that was read from a file. */
export interface SegmentFile {
  /** `backup`: with the header that a backup store puts before it. `raw`: the segment's bytes alone. */
  readonly layout: 'backup' | 'raw';
  readonly bytes: Uint8Array;
}

/**
 * Reads a file that holds one segment, as a backup store keeps it (libs/disk/FORMAT.md) or bare. Throws `NOT_FOUND`, and `TOO_LARGE` for a
 * file no segment fills.
 */
export function readSegmentFile(path: string): SegmentFile {
  const bytes = readBounded(path);
  if (!startsWith(bytes, MAGIC)) return { layout: 'raw', bytes };
  return { layout: 'backup', bytes: bytes.subarray(SEGMENT_HEADER_BYTES) };
}

function readBounded(path: string): Uint8Array {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new NiobeError('NOT_FOUND', `there is no file ${path}`);
  if (size > FILE_BYTES_MAX)
    throw new NiobeError('TOO_LARGE', `${path} has ${size} bytes; a segment has at most ${FILE_BYTES_MAX}`);
  return new Uint8Array(readFileSync(path));
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, text.length)).toString('latin1') === text;
}

const MAGIC = 'NIOBESEG';
/** The largest block an arena may be given; segments are 8 MiB unless it was. */
const FILE_BYTES_MAX: number = 1024 * 1024 * 1024;
