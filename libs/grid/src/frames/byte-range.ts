import type { ByteWriter } from '@niobe/kernel';

/** Below this many bytes a loop is faster than making the view that a block copy needs. */
const LOOP_BYTES = 48;

/** Appends `bytes[at, at + length)` without making a view for the short ranges that frames are full of. */
export function appendRange(out: ByteWriter, bytes: Uint8Array, at: number, length: number): void {
  const to = out.reserve(length);
  const buffer = out.buffer;
  if (length > LOOP_BYTES) buffer.set(bytes.subarray(at, at + length), to);
  else for (let i = 0; i < length; i++) buffer[to + i] = bytes[at + i]!;
}
