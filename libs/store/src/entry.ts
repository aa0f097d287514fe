/**
 * Entries: the items of a segment, as FORMAT.md describes them byte by byte. An address counts 8-byte units from the start of the
 * arena's memory; 0 is none. Every function takes the arena's memory as u32 words.
 *
 *     word 0   kind (4 bits) | flags (4 bits, zero) | generation (8) | schema id (16)
 *     word 1   slot
 *     word 2   body bytes (21 bits) | key bytes (11)
 *     word 3   version low:  seq, low 32 bits
 *     word 4   version high: epoch (20 bits) | seq, high 12 bits
 *     word 5   expires, Unix seconds; 0 = never
 *     then the key, the body and zeros up to the next multiple of 8
 */

/** What an entry is. */
export const KIND: {
  readonly start: 1;
  readonly cell: 2;
  readonly tombstone: 3;
  readonly schema: 4;
  readonly commit: 5;
} = {
  /** First entry of a segment: says which it is. */
  start: 1,
  cell: 2,
  /** Its slot's cell was deleted. */
  tombstone: 3,
  /** Definition of a schema, as JSON. */
  schema: 4,
  /** Ends a batch and guards it. */
  commit: 5,
};

/** Bytes of an entry before its key. */
export const HEADER_BYTES = 24;
/** Body of a commit: f64 time, u32 bytes of the batch, u32 CRC-32. */
export const COMMIT_BODY_BYTES = 16;
export const COMMIT_BYTES: number = HEADER_BYTES + COMMIT_BODY_BYTES;
/** Bytes of a commit before its CRC. */
export const COMMIT_CRC_AT: number = COMMIT_BYTES - 4;
/** A start entry is a header alone. */
export const START_BYTES: number = HEADER_BYTES;
/** Bytes of one unit of an address. */
export const UNIT_BYTES = 8;
/** Width of the body's length in word 2. */
export const BODY_BITS = 21;
const BODY_MASK = (1 << BODY_BITS) - 1;
/** A slot whose generation reached this is not used again: a reuse would repeat an id. */
export const GENERATION_MAX = 0xff;

const TWO_32 = 0x1_0000_0000;
const SEQ_HIGH_BITS = 12;
const SEQ_HIGH_MASK = (1 << SEQ_HIGH_BITS) - 1;

export function kindAt(words: Uint32Array, address: number): number {
  return words[address * 2]! & 0x0f;
}

export function generationAt(words: Uint32Array, address: number): number {
  return (words[address * 2]! >>> 8) & 0xff;
}

export function schemaIdAt(words: Uint32Array, address: number): number {
  return words[address * 2]! >>> 16;
}

export function slotAt(words: Uint32Array, address: number): number {
  return words[address * 2 + 1]!;
}

export function bodyBytesAt(words: Uint32Array, address: number): number {
  return words[address * 2 + 2]! & BODY_MASK;
}

export function keyBytesAt(words: Uint32Array, address: number): number {
  return words[address * 2 + 2]! >>> BODY_BITS;
}

export function expiresAt(words: Uint32Array, address: number): number {
  return words[address * 2 + 5]!;
}

export function epochAt(words: Uint32Array, address: number): number {
  return words[address * 2 + 4]! >>> SEQ_HIGH_BITS;
}

export function seqAt(words: Uint32Array, address: number): number {
  return words[address * 2 + 3]! + (words[address * 2 + 4]! & SEQ_HIGH_MASK) * TWO_32;
}

/** Where the key begins, in bytes. */
export function keyStartAt(address: number): number {
  return address * UNIT_BYTES + HEADER_BYTES;
}

/** Where the body begins, in bytes. */
export function bodyStartAt(words: Uint32Array, address: number): number {
  return address * UNIT_BYTES + HEADER_BYTES + keyBytesAt(words, address);
}

/** Bytes of the whole entry, padding included. */
export function entryBytesAt(words: Uint32Array, address: number): number {
  const lengths = words[address * 2 + 2]!;
  return entryBytes(lengths >>> BODY_BITS, lengths & BODY_MASK);
}

/** Bytes of an entry with such a key and body. */
export function entryBytes(keyBytes: number, bodyBytes: number): number {
  return (HEADER_BYTES + keyBytes + bodyBytes + 7) & ~7;
}

/** Writes a header. */
export function writeHeader(
  words: Uint32Array,
  address: number,
  kind: number,
  generation: number,
  schemaId: number,
  slot: number,
  keyBytes: number,
  bodyBytes: number,
  epoch: number,
  seq: number,
  expiresS: number,
): void {
  const word = address * 2;
  words[word] = kind | (generation << 8) | (schemaId << 16);
  words[word + 1] = slot;
  words[word + 2] = bodyBytes | (keyBytes << BODY_BITS);
  words[word + 3] = seq;
  words[word + 4] = (epoch << SEQ_HIGH_BITS) | Math.floor(seq / TWO_32);
  words[word + 5] = expiresS;
}
