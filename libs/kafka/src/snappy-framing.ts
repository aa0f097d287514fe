import snappy from 'snappyjs';

/**
 * Snappy as Kafka has it: Java clients write the framing of xerial's snappy-java (magic, two versions, then blocks with their length),
 * others one plain block.
 */

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER_BYTES = 16;

/** Throws if the bytes are no snappy or become more than `maxBytes`. */
export function decodeSnappy(bytes: Buffer, maxBytes: number): Uint8Array {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return snappy.uncompress(bytes, maxBytes);
  const blocks: Uint8Array[] = [];
  let inflatedBytes = 0;
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const length = bytes.readInt32BE(at);
    const end = at + 4 + length;
    if (length <= 0 || end > bytes.length)
      throw new Error(`a snappy block of ${length} bytes at ${at} of ${bytes.length}`);
    const block = snappy.uncompress(bytes.subarray(at + 4, end), maxBytes - inflatedBytes);
    inflatedBytes += block.length;
    blocks.push(block);
    at = end;
  }
  return Buffer.concat(blocks, inflatedBytes);
}
