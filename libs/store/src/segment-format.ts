import { FLAG, KIND } from './entry.ts';
import { SEGMENT_FORMAT } from './limits.ts';
import { validPrefix } from './valid-prefix.ts';

/**
 * Which format a segment's bytes say they are of, or null where they begin with no start entry of any.
 *
 * Every format begins with kind 1, a generation of 0 and the number of the format in bytes 2 and 3. A segment of this format in which
 * just these bytes were damaged is told by its checksum and counts as of this format.
 */
export function formatOf(bytes: Uint8Array): number | null {
  if (bytes.length < NAMED_BYTES || (bytes[0]! & KIND_MASK) !== KIND.start || bytes[1] !== 0) return null;
  const format = bytes[2]! | (bytes[3]! << 8);
  if (format === 0 || format > FORMAT_MAX) return null;
  return format === SEGMENT_FORMAT || checksAsThisFormat(bytes) ? SEGMENT_FORMAT : format;
}

function checksAsThisFormat(bytes: Uint8Array): boolean {
  const patched = bytes.slice();
  patched[0] = KIND.start | FLAG.wide | FLAG.expires;
  patched[2] = SEGMENT_FORMAT;
  patched[3] = 0;
  return validPrefix(patched).validBytes > 0;
}

const KIND_MASK = 0x0f;
const NAMED_BYTES = 4;
/** Formats are counted one by one; a number above this is no format but garbage. */
const FORMAT_MAX = 0xff;
