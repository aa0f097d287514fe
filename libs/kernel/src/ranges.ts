/** Ranges of bytes on hot paths: copying and comparing without a view per call. */

/** Above this a copy through a view costs less than a loop. */
const LOOP_BYTES_MAX = 192;

/** Copies `bytes[start, end)` to `out` at `outAt` and returns where the copy ends. The ranges must not overlap. */
export function copyRange(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outAt: number): number {
  const length = end - start;
  if (length > LOOP_BYTES_MAX) out.set(bytes.subarray(start, end), outAt);
  else for (let i = 0; i < length; i++) out[outAt + i] = bytes[start + i]!;
  return outAt + length;
}

/** True if the `length` bytes at `aAt` and at `bAt` are the same. */
export function sameRange(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
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
