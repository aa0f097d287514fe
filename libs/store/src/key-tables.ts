import { HEADER_BYTES } from './entry.ts';
import { PARTITION_LIMIT } from './limits.ts';
import { PAGE_SLOTS } from './page-pool.ts';

/**
 * How the tables of a key index lie in memory, and the arithmetic that leads from a hash to a place in them.
 *
 * A **table** is up to 16 pages of the arena's pool, wherever they are; a record of u32 says which. A **chunk** is 16 words, a line of
 * the cache: a word about the chunk, then words for 15 keys. The word of a key is
 *
 *     last bits of its hash | slot + 1; 0 where there is none
 *
 * with as many bits for the slot as the table's largest one needs. Chunks of a table are in order of the hashes that begin there.
 */

/** Bits of a hash that the index works with. */
export const HASH_BITS = 27;
/** A slot is below 2^30, because an arena has no more words, and slot + 1 leaves at least one bit for the hash. */
export const SLOT_BITS_FIRST: number = 32 - HASH_BITS;

const LINE_WORDS = 16;
export const CHUNK_WORDS: number = LINE_WORDS;
export const CHUNK_KEYS = 15;
const CHUNK_SHIFT = 4;
const PAGE_CHUNKS_SHIFT = 6;
const PAGE_CHUNKS_MASK = 63;
export const PAGE_CHUNKS: number = PAGE_SLOTS / CHUNK_WORDS;
/** Pages of a table: no rebuild moves more than {@link TABLE_KEYS_MAX} keys, which takes a fraction of a millisecond. */
export const TABLE_PAGES_MAX = 16;
export const TABLE_KEYS_MAX: number = TABLE_PAGES_MAX * PAGE_CHUNKS * CHUNK_KEYS;

/** In the word of a chunk: bit i says that key i began in an earlier chunk; this one that such a key came from further than the one before. */
const FAR = 1;
export const CAME_FROM_FAR: number = FAR;
/** In the word of a chunk: one key more that found no room here and went on to the next. */
const WENT = 0x1_0000;
export const WENT_ON: number = WENT;
const WENT_ON_SHIFT = 16;

// The record of a table, one item each, and then the base of each of its pages. Hot paths read them through functions of this file, which
// use nothing that is exported: such constants and functions the engine loads and checks at each use.
const CHUNKS = 0;
const SLOT_BITS = 1;
const LOCAL_BITS = 2;
const KEYS = 3;
const BASES = 4;
export const TABLE_WORDS: number = BASES + TABLE_PAGES_MAX;

export function chunksOf(tables: Uint32Array, table: number): number {
  return tables[table + CHUNKS]!;
}

/** Bits of a key's word that hold slot + 1. */
export function slotBitsOf(tables: Uint32Array, table: number): number {
  return tables[table + SLOT_BITS]!;
}

/** Bits of the hash below those that all keys of the table share. */
export function localBitsOf(tables: Uint32Array, table: number): number {
  return tables[table + LOCAL_BITS]!;
}

export function keysOf(tables: Uint32Array, table: number): number {
  return tables[table + KEYS]!;
}

export function addKeys(tables: Uint32Array, table: number, count: number): void {
  tables[table + KEYS]! += count;
}

/** Says how the words of a table are to be read. */
export function setBits(tables: Uint32Array, table: number, localBits: number, slotBits: number): void {
  tables[table + LOCAL_BITS] = localBits;
  tables[table + SLOT_BITS] = slotBits;
}

/** Makes a table an empty one of pages that are to be told by {@link setBase}. */
export function setPages(tables: Uint32Array, table: number, pages: number): void {
  tables[table + CHUNKS] = pages * PAGE_CHUNKS;
  tables[table + KEYS] = 0;
}

export function pagesOf(tables: Uint32Array, table: number): number {
  return tables[table + CHUNKS]! / PAGE_CHUNKS;
}

export function baseOf(tables: Uint32Array, table: number, page: number): number {
  return tables[table + BASES + page]!;
}

export function setBase(tables: Uint32Array, table: number, page: number, base: number): void {
  tables[table + BASES + page] = base;
}

/**
 * The bits of a key's hash that the index works with: the upper ones, because low ones chose the partition and so are alike for all keys of
 * text or integers here.
 */
export function indexHash(hash: number): number {
  return hash >>> (32 - HASH_BITS);
}

/** More bits than this of a hash make no difference to which of 1,024 chunks it begins in, and their product fits 32 bits. */
const CHOICE_BITS = 20;

/** The chunk in which a hash begins: in proportion to its local bits, so any number of chunks will do (Lemire 2019). */
const homeOf = (bits: number, localBits: number, chunks: number): number =>
  Math.imul((bits << -localBits) >>> (32 - CHOICE_BITS), chunks) >>> CHOICE_BITS;
export const chunkOf: (bits: number, localBits: number, chunks: number) => number = homeOf;

/** The lowest local bits that begin in a chunk; see {@link chunkOf}. */
export function firstOfChunk(chunk: number, localBits: number, chunks: number): number {
  const dropped = Math.max(0, localBits - CHOICE_BITS);
  return Math.ceil((chunk * 2 ** (localBits - dropped)) / chunks) * 2 ** dropped;
}

/** How many values of the local bits begin in one chunk, at most. */
export function valuesPerChunk(localBits: number, chunks: number): number {
  const dropped = Math.max(0, localBits - CHOICE_BITS);
  return Math.ceil(2 ** (localBits - dropped) / chunks) * 2 ** dropped;
}

/** Where a chunk begins in the words of the pool. */
const lineOf = (tables: Uint32Array, table: number, chunk: number): number =>
  tables[table + BASES + (chunk >>> PAGE_CHUNKS_SHIFT)]! | ((chunk & PAGE_CHUNKS_MASK) << CHUNK_SHIFT);
export const chunkAt: (tables: Uint32Array, table: number, chunk: number) => number = lineOf;

/** Where the chunk in which a hash begins has its words. */
export function homeAt(tables: Uint32Array, table: number, bits: number): number {
  return lineOf(tables, table, homeOf(bits, tables[table + LOCAL_BITS]!, tables[table + CHUNKS]!));
}

/** The chunk that keys go on to from `chunk`, `far` chunks on. */
export function chunkBehind(chunk: number, far: number, chunks: number): number {
  return chunk + far < chunks ? chunk + far : chunk + far - chunks;
}

/** True if keys that begin in the chunk at `at`, or before it, may lie behind it. */
export function goesOn(words: Uint32Array, at: number): boolean {
  return words[at]! >>> WENT_ON_SHIFT !== 0;
}

/**
 * The place of a key's **group** of four whose word has the wanted bits where `mask` has ones, 0 where there is none. A key is put into its
 * group if there is room, so most are found here.
 *
 * All four words are compared before anything is decided. A loop that ends at the place found would be foretold wrongly most of the time,
 * and then the processor would have to wait for the chunk before it could begin with what comes after.
 */
export function placeInGroup(words: Uint32Array, at: number, bits: number, wanted: number, mask: number): number {
  const group = (bits & GROUP_MASK) << GROUP_SHIFT;
  const first = at + group;
  // Word 0 of the chunk is no key's: one bit more makes it differ from any.
  const isAbout = (group - 1) >>> 31;
  const place =
    signIfZero(((words[first]! ^ wanted) & mask) | isAbout) |
    (signIfZero((words[first + 1]! ^ wanted) & mask) >>> 1) |
    (signIfZero((words[first + 2]! ^ wanted) & mask) >>> 2) |
    (signIfZero((words[first + 3]! ^ wanted) & mask) >>> 3);
  return place === 0 ? 0 : group + Math.clz32(place);
}

/** The sign bit for 0, 0 for all else. */
const signIfZero = (value: number): number => (value - 1) & ~value & SIGN;
const SIGN: number = 1 << 31;
/** The lowest bits of a hash choose one of four groups of a chunk. */
const GROUP_MASK = 3;
const GROUP_SHIFT = 2;

/** The first place behind `after` in the chunk at `at` whose word has the wanted bits of a hash, 0 where there is none. */
export function placeOfBits(words: Uint32Array, at: number, after: number, wanted: number, slotMask: number): number {
  for (let place = after + 1; place < CHUNK_WORDS; place++) {
    const word = words[at + place]!;
    if (((word ^ wanted) & ~slotMask) === 0 && word !== 0) return place;
  }
  return 0;
}

/** The place of a slot in the chunk at `at`, 0 where it is not there. */
export function placeOfSlot(words: Uint32Array, at: number, slot: number, slotMask: number): number {
  for (let place = 1; place < CHUNK_WORDS; place++)
    if ((words[at + place]! & slotMask) >>> 0 === slot + 1) return place;
  return 0;
}

/** Puts a key that is not there into a table with room: in the first chunk that has any, from the one where its hash begins. */
export function putKey(tables: Uint32Array, words: Uint32Array, table: number, bits: number, slot: number): void {
  const chunks = tables[table + CHUNKS]!;
  let chunk = homeOf(bits, tables[table + LOCAL_BITS]!, chunks);
  for (let far = 0; !putInChunk(tables, words, table, chunk, far, bits, slot); far++) {
    words[lineOf(tables, table, chunk)]! += WENT;
    chunk = chunk + 1 === chunks ? 0 : chunk + 1;
  }
}

/** Puts a key into a chunk, `far` behind the one where its hash begins; false where there is no room. */
export function putInChunk(
  tables: Uint32Array,
  words: Uint32Array,
  table: number,
  chunk: number,
  far: number,
  bits: number,
  slot: number,
): boolean {
  const at = lineOf(tables, table, chunk);
  const place = emptyPlace(words, at, bits);
  if (place === 0) return false;
  words[at + place] = (bits << tables[table + SLOT_BITS]!) | (slot + 1);
  if (far > 0) words[at]! |= (1 << place) | (far > 1 ? FAR : 0);
  tables[table + KEYS]! += 1;
  return true;
}

/** A place of the chunk at `at` without a key, in the group of its hash if there is one; 0 where all have one. */
function emptyPlace(words: Uint32Array, at: number, bits: number): number {
  const group = (bits & GROUP_MASK) << GROUP_SHIFT;
  for (let place = Math.max(1, group); place < group + 4; place++) if (words[at + place] === 0) return place;
  for (let place = 1; place < LINE_WORDS; place++) if (words[at + place] === 0) return place;
  return 0;
}

/**
 * Where the pages of indexes begin in their memory: large blocks begin 16 bytes behind the start of a line of the cache, where glibc
 * keeps their size, and a chunk is to be one line.
 */
export const LINE_FIRST_BYTE = 48;

/** Pages that the indexes of all keys an arena can hold need: at least, in a table that just grew from one page to two, 417 keys a page. */
export function indexPagesFor(capacityBytes: number): number {
  return Math.ceil(capacityBytes / KEYED_ENTRY_BYTES_MIN / KEYS_PER_PAGE_MIN) + PARTITION_LIMIT;
}

/** A header, and a key and a body of a byte each, in whole words. */
const KEYED_ENTRY_BYTES_MIN: number = HEADER_BYTES + 4;
const KEYS_PER_PAGE_MIN = 417;
