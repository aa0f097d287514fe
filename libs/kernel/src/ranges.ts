import { viewOf } from './view.ts';

/** Ranges of bytes on hot paths: copying and comparing without an object for each call. */

/** Above this a copy through a part of the array costs less than a loop over words. */
const LOOP_BYTES_MAX = 384;

/** Where was copied to last; see {@link viewOf}. */
let lastOut = new Uint8Array();
let lastOutView = new DataView(lastOut.buffer);

/** Copies `bytes[start, end)` to `out` at `outAt` and returns where the copy ends. The ranges must not overlap. */
export function copyRange(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outAt: number): number {
  const length = end - start;
  if (length > LOOP_BYTES_MAX) out.set(bytes.subarray(start, end), outAt);
  else copyWords(bytes, start, length, out, outAt);
  return outAt + length;
}

function copyWords(bytes: Uint8Array, start: number, length: number, out: Uint8Array, outAt: number): void {
  const from = viewOf(bytes);
  if (out !== lastOut) {
    lastOut = out as Uint8Array<ArrayBuffer>;
    lastOutView = new DataView(out.buffer as ArrayBuffer, out.byteOffset, out.length);
  }
  const to = lastOutView;
  let i = 0;
  for (; i < length - 3; i += 4) to.setUint32(outAt + i, from.getUint32(start + i, true), true);
  for (; i < length; i++) out[outAt + i] = bytes[start + i]!;
}

/** True if the `length` bytes at `aAt` and at `bAt` are the same. */
export function sameRange(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  const aView = viewOf(a);
  const bView = viewOf(b);
  let i = 0;
  for (; i < length - 3; i += 4) if (aView.getInt32(aAt + i) !== bView.getInt32(bAt + i)) return false;
  for (; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

/** Lexicographic order of `a[aStart, aEnd)` and `b[bStart, bEnd)`; for UTF-8 that is the order of code points. */
export function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const shared = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < shared; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}
