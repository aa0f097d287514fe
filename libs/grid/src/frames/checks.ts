import { CELL_ID_LIMIT, KEY_BYTES_MAX } from '@niobe/cells';
import { getU53, NiobeError, type ByteReader } from '@niobe/kernel';
import { SECTIONS_PER_FRAME_MAX } from '../limits.ts';

/** What readers of frames check alike; each throws `MALFORMED`. */

/** Reads the number of sections. */
export function readSectionCount(reader: ByteReader): number {
  const sections = reader.u16();
  checkCount('sections', sections, SECTIONS_PER_FRAME_MAX);
  return sections;
}

/** Reads the length of a key. */
export function readKeyLength(reader: ByteReader): number {
  const keyBytes = reader.u16();
  if (keyBytes > KEY_BYTES_MAX)
    throw new NiobeError('MALFORMED', `a key of ${keyBytes} bytes exceeds ${KEY_BYTES_MAX}`);
  return keyBytes;
}

/** Reads the id of a cell at `at`, which is within the frame. */
export function readId(view: DataView, at: number): number {
  const id = getU53(view, at);
  if (id >= CELL_ID_LIMIT) throw new NiobeError('MALFORMED', `a cell id of ${id}; ids are below 2^52`);
  return id;
}

/** Refuses more of `what` than a frame may have. */
export function checkCount(what: string, count: number, most: number): void {
  if (count > most) throw new NiobeError('MALFORMED', `a frame with ${count} ${what} exceeds ${most}`);
}

/** Refuses a section whose items do not fill it exactly. */
export function checkEnd(reader: ByteReader, end: number): void {
  if (reader.at !== end) throw new NiobeError('MALFORMED', `a section ends at byte ${reader.at}, not at ${end}`);
}
