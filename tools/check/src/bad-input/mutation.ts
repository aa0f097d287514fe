import type { Random } from '@niobe/kernel';

const MAX_CHANGES = 8;
const MAX_INSERTED_BYTES = 64;

/** `bytes` with some bits flipped, bytes overwritten, ranges cut, doubled or inserted; the same for the same random source. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let mutated = Uint8Array.from(bytes);
  for (let change = 1 + random.below(MAX_CHANGES); change > 0; change--) mutated = changeOnce(mutated, random);
  return mutated;
}

function changeOnce(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return Uint8Array.of(random.below(256));
  const at = random.below(bytes.length);
  const until = Math.min(bytes.length, at + 1 + random.below(MAX_INSERTED_BYTES));
  switch (random.below(5)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2:
      return join(bytes.subarray(0, at), bytes.subarray(until));
    case 3:
      return join(bytes.subarray(0, until), bytes.subarray(at));
    default:
      return join(
        bytes.subarray(0, at),
        Uint8Array.from({ length: 1 + random.below(MAX_INSERTED_BYTES) }, () => random.below(256)),
        bytes.subarray(at),
      );
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
