import type { ByteWriter } from '@niobe/kernel';
import { REF_BYTES } from './list-cells.ts';

/** Appends `refs[from, to)` as 8 bytes each. */
export function writeRefs(out: ByteWriter, refs: Float64Array, from: number, to: number): void {
  const start = out.reserve((to - from) * REF_BYTES);
  const { view } = out;
  for (let i = from, at = start; i < to; i++, at += REF_BYTES) {
    const ref = refs[i]!;
    view.setUint32(at, ref >>> 0, true);
    view.setUint32(at + 4, Math.floor(ref / TWO_32), true);
  }
}

const TWO_32 = 0x1_0000_0000;
