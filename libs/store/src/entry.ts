/**
 * Entries: the items of a segment, as FORMAT.md describes them byte by byte. An address counts words of four bytes from the start of the
 * arena's memory, so it is an index into the `Uint32Array` over it; 0 is none.
 *
 *     word 0   kind (4 bits) | flags (4) | generation (8) | schema id (16)
 *     word 1   slot
 *     word 2   body bytes (21 bits) | key bytes (11)
 *     word 3   seq, low 32 bits
 *     word 4   only with flag WIDE: epoch (20 bits) | seq, high 12 bits
 *     next     only with flag EXPIRES: Unix seconds from which the cell is gone
 *     then the key, the body and zeros up to the next multiple of 4
 *
 * Small cells are most of what a store holds, so what is the same for nearly all entries of a segment is said once: an entry without WIDE
 * has the epoch and high bits of the segment's start, which stand in `bases`, by grain of the arena.
 *
 * Every read goes through the functions below, some of them several times. The engine makes numbers of the constants of a file, but loads
 * and checks exported ones at each use: so what these functions use is not exported, and what is exported is made of it.
 */

/** The memory entries lie in. */
export interface EntryMemory {
  readonly words: Uint32Array;
  /** By grain of 256 KiB: word 4 of the entries there that do not have their own. */
  readonly bases: Uint32Array;
}

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
const CELL = 2;
const KIND_MASK = 0x0f;

const WIDE = 0x10;
const EXPIRES = 0x20;
/** Flags of word 0: which optional words the header has. */
export const FLAG: { readonly wide: 0x10; readonly expires: 0x20 } = { wide: WIDE, expires: EXPIRES };

const WORD = 4;
const HEADER = 16;
/** Bytes of one unit of an address. */
export const WORD_BYTES: number = WORD;
/** Bytes of a header without optional words. */
export const HEADER_BYTES: number = HEADER;
/** Bytes of a header with both. */
export const HEADER_BYTES_MAX: number = HEADER + 2 * WORD;
/** Body of a commit: f64 time, u32 bytes of the batch, u32 CRC-32. */
export const COMMIT_BODY_BYTES = 16;
export const COMMIT_BYTES: number = HEADER_BYTES + COMMIT_BODY_BYTES;
/** Bytes of a commit before its CRC. */
export const COMMIT_CRC_AT: number = COMMIT_BYTES - 4;
/** A start entry is a header with both optional words. */
export const START_BYTES: number = HEADER_BYTES_MAX;
const LENGTH_BITS = 21;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;
/** Width of the body's length in word 2. */
export const BODY_BITS: number = LENGTH_BITS;
/** A slot whose generation reached this is not used again: a reuse would repeat an id. */
export const GENERATION_MAX = 0xff;
const GRAIN_BITS = 16;
/** Bits of an address within a grain of 256 KiB. */
export const GRAIN_SHIFT: number = GRAIN_BITS;

const TWO_32 = 0x1_0000_0000;
const SEQ_HIGH_BITS = 12;
const SEQ_HIGH_MASK = (1 << SEQ_HIGH_BITS) - 1;

export function kindAt(words: Uint32Array, address: number): number {
  return words[address]! & KIND_MASK;
}

export function generationAt(words: Uint32Array, address: number): number {
  return (words[address]! >>> 8) & 0xff;
}

export function schemaIdAt(words: Uint32Array, address: number): number {
  return words[address]! >>> 16;
}

export function slotAt(words: Uint32Array, address: number): number {
  return words[address + 1]!;
}

export function bodyBytesAt(words: Uint32Array, address: number): number {
  return words[address + 2]! & LENGTH_MASK;
}

export function keyBytesAt(words: Uint32Array, address: number): number {
  return words[address + 2]! >>> LENGTH_BITS;
}

/** Unix seconds from which the cell is gone, 0 = never. */
export function expiresAt(words: Uint32Array, address: number): number {
  const first = words[address]!;
  return (first & EXPIRES) === 0 ? 0 : words[address + 4 + ((first & WIDE) >>> 4)]!;
}

/** Word 4 of an entry, whether it has it or not. */
export function versionWordAt(memory: EntryMemory, address: number): number {
  const { words } = memory;
  return (words[address]! & WIDE) === 0 ? memory.bases[address >>> GRAIN_BITS]! : words[address + 4]!;
}

export function epochAt(memory: EntryMemory, address: number): number {
  return versionWordAt(memory, address) >>> SEQ_HIGH_BITS;
}

export function seqAt(memory: EntryMemory, address: number): number {
  return seqOf(memory.words[address + 3]!, versionWordAt(memory, address));
}

/** Epoch and the high bits of a seq in one word. */
export function versionWordOf(epoch: number, seq: number): number {
  return ((epoch << SEQ_HIGH_BITS) | Math.floor(seq / TWO_32)) >>> 0;
}

export function epochOf(versionWord: number): number {
  return versionWord >>> SEQ_HIGH_BITS;
}

export function seqOf(low: number, versionWord: number): number {
  return low + (versionWord & SEQ_HIGH_MASK) * TWO_32;
}

/** Bytes of a header with the flags of this word 0. */
const headerOf = (first: number): number => HEADER + ((first & WIDE) >>> 2) + ((first & EXPIRES) >>> 3);
export const headerBytesOf: (first: number) => number = headerOf;

/** Bytes of the header of a new entry. */
export function headerBytesFor(expiresS: number): number {
  return expiresS === 0 ? HEADER : HEADER + WORD;
}

/** The word with which the key begins. */
export function keyWordAt(words: Uint32Array, address: number): number {
  return address + (headerOf(words[address]!) >>> 2);
}

/** True for a cell, false for any other entry and for address 0. */
export function isCellAt(words: Uint32Array, address: number): boolean {
  return (words[address]! & KIND_MASK) === CELL;
}

/** True for a cell that lives for ever, as nearly all do: who then need not ask the clock. */
export function isLastingCellAt(words: Uint32Array, address: number): boolean {
  return (words[address]! & (KIND_MASK | EXPIRES)) === CELL;
}

/** Where the key begins, in bytes. */
export function keyStartAt(words: Uint32Array, address: number): number {
  return address * WORD + headerOf(words[address]!);
}

/** Where the body begins, in bytes. */
export function bodyStartAt(words: Uint32Array, address: number): number {
  return address * WORD + headerOf(words[address]!) + (words[address + 2]! >>> LENGTH_BITS);
}

/** Bytes of the whole entry, padding included. */
export function entryBytesAt(words: Uint32Array, address: number): number {
  const lengths = words[address + 2]!;
  return entryBytes(headerOf(words[address]!), lengths >>> LENGTH_BITS, lengths & LENGTH_MASK);
}

/** Bytes of an entry with such a header, key and body. */
export function entryBytes(headerBytes: number, keyBytes: number, bodyBytes: number): number {
  return (headerBytes + keyBytes + bodyBytes + 3) & ~3;
}

/** Writes a header without word 4. */
export function writeHeader(
  words: Uint32Array,
  address: number,
  kind: number,
  generation: number,
  schemaId: number,
  slot: number,
  keyBytes: number,
  bodyBytes: number,
  seq: number,
  expiresS: number,
): void {
  words[address] = kind | (expiresS === 0 ? 0 : EXPIRES) | (generation << 8) | (schemaId << 16);
  words[address + 1] = slot;
  words[address + 2] = bodyBytes | (keyBytes << LENGTH_BITS);
  words[address + 3] = seq;
  if (expiresS !== 0) words[address + 4] = expiresS;
}

/** Writes the first entry of a segment. */
export function writeStart(
  words: Uint32Array,
  address: number,
  format: number,
  segment: number,
  partition: number,
  versionWord: number,
  openedS: number,
): void {
  words[address] = KIND.start | WIDE | EXPIRES | (format << 16);
  words[address + 1] = segment;
  words[address + 2] = 0;
  words[address + 3] = partition;
  words[address + 4] = versionWord;
  words[address + 5] = openedS;
}

/** Bytes of an entry once it was copied to a segment of base `versionWord`. */
export function copiedBytes(memory: EntryMemory, from: number, versionWord: number): number {
  return entryBytesAt(memory.words, from) + (becomesWide(memory, from, versionWord) ? WORD : 0);
}

/**
 * Copies an entry to where the base is `versionWord`, its version unchanged: it becomes WIDE where its own base is another. Returns its
 * bytes there.
 */
export function copyEntry(memory: EntryMemory, from: number, to: number, versionWord: number): number {
  const { words } = memory;
  const bytes = entryBytesAt(words, from);
  if (!becomesWide(memory, from, versionWord)) {
    for (let word = 0; word < bytes / WORD; word++) words[to + word] = words[from + word]!;
    return bytes;
  }
  words[to] = words[from]! | WIDE;
  for (let word = 1; word < 4; word++) words[to + word] = words[from + word]!;
  words[to + 4] = versionWordAt(memory, from);
  for (let word = 4; word < bytes / WORD; word++) words[to + 1 + word] = words[from + word]!;
  return bytes + WORD;
}

function becomesWide(memory: EntryMemory, address: number, versionWord: number): boolean {
  return (memory.words[address]! & WIDE) === 0 && memory.bases[address >>> GRAIN_BITS] !== versionWord;
}
