import { assert, NiobeError } from '@niobe/kernel';
import { KeyRebuild } from './key-rebuild.ts';
import {
  addKeys,
  baseOf,
  CHUNK_KEYS,
  CHUNK_WORDS,
  chunkAt,
  chunkBehind,
  chunkOf,
  chunksOf,
  goesOn,
  HASH_BITS,
  homeAt,
  indexHash,
  keysOf,
  localBitsOf,
  PAGE_CHUNKS,
  pagesOf,
  placeInGroup,
  placeOfBits,
  placeOfSlot,
  putKey,
  setBase,
  setBits,
  setPages,
  SLOT_BITS_FIRST,
  slotBitsOf,
  TABLE_KEYS_MAX,
  TABLE_PAGES_MAX,
  TABLE_WORDS,
  WENT_ON,
} from './key-tables.ts';
import type { PagePool } from './page-pool.ts';

// The engine puts a file's own constants into the code as they are, but loads and checks imported ones at each use.
const bitsOf = indexHash;
const homeIn = homeAt;
const placeOf = placeInGroup;
const slotBitsIn = slotBitsOf;

/**
 * Key to slot: extendible hashing (Fagin et al. 1979) over tables that are kept full. Some 5.5 bytes a key.
 *
 * 1. The first bits of a hash choose the table through a directory, the following ones the chunk of it in which the key begins. A chunk
 *    that is full sends further keys on to the next one and counts them, so that a search knows where to end, and nothing has to move
 *    when a key goes (Bronson and Shi, F14, 2019). The key itself is compared in the cell.
 * 2. A table is full at 87 %. It then grows by two pages, and at 16 is split in two of 10: so tables are full to 70 % and more at any
 *    time. Doubling would leave them half empty at times, and a third of all bytes unused on average.
 * 3. Growing so often is cheap because hashes are known without their cells; see {@link KeyRebuild}. No insert moves more than 13,363
 *    keys, some 200 us. Hashes of 27 bits are the most that fit beside the slot in 32 bits, and let one search in 13 compare one key
 *    too many where there are 10^7 of them.
 *
 * Pages, directory and records of the tables are typed arrays outside the heap: three loads that stay in the cache lead to a chunk.
 */
export class KeyIndex {
  readonly #keys: KeysOfSlots;
  readonly #pool: PagePool;
  readonly #words: Uint32Array;
  /** Records of the tables, one behind the other; a table is named by where its record begins. */
  #tables: Uint32Array = new Uint32Array(TABLE_WORDS);
  #tablesEnd = 0;
  /** By the first bits of the hash: the table. */
  #directory: Uint32Array = new Uint32Array(1);
  /** Bits of the hash below those of the directory. */
  #directoryShift = HASH_BITS;
  #count = 0;
  /** Where the cell is that {@link find} found last, so that nobody needs to ask the slot again. */
  foundAddress = 0;
  /** The place that {@link #next} found last. */
  #found = 0;

  constructor(keys: KeysOfSlots, pool: PagePool) {
    this.#keys = keys;
    this.#pool = pool;
    this.#words = pool.words;
    this.#addTable(HASH_BITS, SLOT_BITS_FIRST);
  }

  /** Keys held. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of all tables and the directory. O(tables). */
  get memoryBytes(): number {
    let bytes = this.#directory.byteLength + this.#tables.byteLength;
    for (let table = 0; table < this.#tablesEnd; table += TABLE_WORDS)
      bytes += chunksOf(this.#tables, table) * CHUNK_WORDS * Uint32Array.BYTES_PER_ELEMENT;
    return bytes;
  }

  /** How the keys lie on the tables: for those who doubt that hashes spread. */
  tableLoads(): TableLoad[] {
    const loads: TableLoad[] = [];
    for (let i = 0; i < this.#directory.length;) {
      const table = this.#directory[i]!;
      const sharedBits = HASH_BITS - localBitsOf(this.#tables, table);
      loads.push({ firstHash: i / this.#directory.length, sharedBits, keys: keysOf(this.#tables, table) });
      i += this.#directory.length / 2 ** sharedBits;
    }
    return loads;
  }

  /** The slot of a key, or -1. {@link foundAddress} then tells where its cell is. */
  find(hash: number, schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): number {
    const bits = bitsOf(hash);
    for (let slot = this.#first(bits); slot >= 0; slot = this.#next(bits, this.#found)) {
      this.foundAddress = this.#keys.addressIfAt(slot, schemaId, bytes, keyAt, keyBytes);
      if (this.foundAddress !== 0) return slot;
    }
    return -1;
  }

  /** The slot that a key of this hash most probably has, or -1 where there is none; looks at no cell. */
  guess(hash: number): number {
    return this.#first(bitsOf(hash));
  }

  /** True if a cell that is indexed has the key of the cell in `slot`, which is not. */
  hasKeyOf(hash: number, slot: number): boolean {
    const bits = bitsOf(hash);
    for (let other = this.#first(bits); other >= 0; other = this.#next(bits, this.#found))
      if (this.#keys.areSame(other, slot)) return true;
    return false;
  }

  /** The slot of a key whose word has these bits, or -1; the one in its group, where most are. {@link #next} goes on with all of them. */
  #first(bits: number): number {
    const tables = this.#tables;
    const words = this.#words;
    const table = this.#directory[bits >>> this.#directoryShift]!;
    const slotBits = slotBitsIn(tables, table);
    const slotMask = (1 << slotBits) - 1;
    const at = homeIn(tables, table, bits);
    const place = placeOf(words, at, bits, bits << slotBits, ~slotMask);
    const slot = (words[at + place]! & slotMask) - 1;
    if (place === 0 || slot < 0) return this.#next(bits, 0);
    this.#found = 0;
    return slot;
  }

  /**
   * The slot of the next key whose word has these bits, or -1.
   *
   * @param after the place to begin behind, counted along the chunks from the one where the hash begins: 0, or {@link #found}
   */
  #next(bits: number, after: number): number {
    const tables = this.#tables;
    const words = this.#words;
    const table = this.#directory[bits >>> this.#directoryShift]!;
    const chunks = chunksOf(tables, table);
    const slotBits = slotBitsOf(tables, table);
    const slotMask = (1 << slotBits) - 1;
    const home = chunkOf(bits, localBitsOf(tables, table), chunks);
    let place = after & CHUNK_KEYS;
    for (let far = after >>> PLACE_BITS; far < chunks; far++) {
      const at = chunkAt(tables, table, chunkBehind(home, far, chunks));
      place = placeOfBits(words, at, place, bits << slotBits, slotMask);
      if (place > 0) {
        this.#found = (far << PLACE_BITS) | place;
        return (words[at + place]! & slotMask) - 1;
      }
      if (!goesOn(words, at)) return -1;
    }
    return -1;
  }

  /**
   * Makes sure that {@link insert} finds room for a key of this hash. Throws `STORE_FULL` and changes nothing, where 15,360 keys share 16
   * bits of their hash or all pages of the pool are in use.
   */
  reserve(hash: number): void {
    const bits = indexHash(hash);
    for (let table = this.#tableOf(bits); this.#isFull(table); table = this.#tableOf(bits)) {
      if (pagesOf(this.#tables, table) < TABLE_PAGES_MAX) this.#grow(table, bits);
      else if (localBitsOf(this.#tables, table) > LOCAL_BITS_MIN) this.#split(table, bits);
      else if (keysOf(this.#tables, table) < TABLE_KEYS_MAX) return;
      else throw new NiobeError('STORE_FULL', `${TABLE_KEYS_MAX} keys of one partition have nearly the same hash`);
    }
  }

  /** Adds a key that is not there. Its cell must be in the slot. Throws as {@link reserve}. */
  insert(hash: number, slot: number): void {
    this.reserve(hash);
    const bits = indexHash(hash);
    const table = this.#tableOf(bits);
    const slotBitsNeeded = 32 - Math.clz32(slot + 1);
    if (slotBitsNeeded > slotBitsOf(this.#tables, table)) this.#widenSlots(table, slotBitsNeeded);
    putKey(this.#tables, this.#words, table, bits, slot);
    this.#count += 1;
  }

  /** Removes the key of a slot, which must be there. */
  remove(hash: number, slot: number): void {
    const bits = indexHash(hash);
    const tables = this.#tables;
    const words = this.#words;
    const table = this.#tableOf(bits);
    const chunks = chunksOf(tables, table);
    const slotMask = 2 ** slotBitsOf(tables, table) - 1;
    const home = chunkOf(bits, localBitsOf(tables, table), chunks);
    for (let far = 0; ; far++) {
      const at = chunkAt(tables, table, chunkBehind(home, far, chunks));
      const place = placeOfSlot(words, at, slot, slotMask);
      if (place > 0) {
        words[at + place] = 0;
        words[at]! &= ~(1 << place);
        break;
      }
      assert(goesOn(words, at), 'a removed key is in the index');
      words[at]! -= WENT_ON;
    }
    addKeys(tables, table, -1);
    this.#count -= 1;
  }

  /** Gives all pages back. The index is not to be used afterwards. */
  close(): void {
    for (let table = 0; table < this.#tablesEnd; table += TABLE_WORDS) this.#givePages(table);
    this.#tablesEnd = 0;
  }

  /**
   * Makes an empty index as large as so many keys need it, in any order of their hashes; for recovery, which knows beforehand. Throws
   * `STORE_FULL`.
   *
   * @param slotLimit every slot is below it
   */
  expect(keys: number, slotLimit: number): void {
    assert(this.#count === 0, 'only an empty index is made anew');
    const depth = Math.max(0, Math.ceil(Math.log2(keys / KEYS_EXPECTED_MAX)));
    const localBits = Math.max(LOCAL_BITS_MIN, HASH_BITS - depth);
    const tables = 2 ** (HASH_BITS - localBits);
    const pages = pagesForShare(keys / tables);
    const slotBits = Math.max(SLOT_BITS_FIRST, 32 - Math.clz32(slotLimit));
    this.close();
    this.#requirePages(pages * tables);
    this.#directoryShift = localBits;
    this.#directory = Uint32Array.from({ length: tables }, () => this.#addTable(localBits, slotBits, pages));
  }

  #tableOf(bits: number): number {
    return this.#directory[bits >>> this.#directoryShift]!;
  }

  #isFull(table: number): boolean {
    return keysOf(this.#tables, table) >= chunksOf(this.#tables, table) * KEYS_PER_CHUNK;
  }

  #grow(table: number, bits: number): void {
    const pages = pagesOf(this.#tables, table);
    const grown = PAGES_AFTER[pages]!;
    this.#requirePages(grown - pages);
    this.#readKeys(table, bits);
    this.#givePages(table);
    this.#takePages(table, grown);
    REBUILD.writeTo(this.#tables, this.#words, table);
  }

  /** Two tables by the first bit of the hash that not all keys share. */
  #split(table: number, bits: number): void {
    this.#readKeys(table, bits);
    const localBits = localBitsOf(this.#tables, table) - 1;
    const upperKeys = REBUILD.countWith(localBits);
    const pages = pagesOfHalf(REBUILD.count - upperKeys);
    const upperPages = pagesOfHalf(upperKeys);
    this.#requirePages(pages + upperPages - TABLE_PAGES_MAX);
    this.#givePages(table);
    if (localBits < this.#directoryShift) this.#doubleDirectory();
    setBits(this.#tables, table, localBits, slotBitsOf(this.#tables, table));
    this.#takePages(table, pages);
    const upper = this.#addTable(localBits, slotBitsOf(this.#tables, table), upperPages);
    const first = ((bits >>> (localBits + 1)) << (localBits + 1)) >>> this.#directoryShift;
    const half = 1 << (localBits - this.#directoryShift);
    this.#directory.fill(upper, first + half, first + 2 * half);
    REBUILD.writeToHalves(this.#tables, this.#words, table, upper);
  }

  #readKeys(table: number, bits: number): void {
    REBUILD.read(this.#tables, this.#words, table, bits, (slot) => indexHash(this.#keys.hashOf(slot)));
  }

  #doubleDirectory(): void {
    const before = this.#directory;
    this.#directory = Uint32Array.from({ length: before.length * 2 }, (_, i) => before[i >> 1]!);
    this.#directoryShift -= 1;
  }

  #addTable(localBits: number, slotBits: number, pages = 1): number {
    const table = this.#tablesEnd;
    this.#tablesEnd += TABLE_WORDS;
    if (this.#tablesEnd > this.#tables.length) {
      const grown = new Uint32Array(this.#tables.length * 2);
      grown.set(this.#tables);
      this.#tables = grown;
    }
    setBits(this.#tables, table, localBits, slotBits);
    this.#takePages(table, pages);
    return table;
  }

  #requirePages(pages: number): void {
    if (this.#pool.pages - 1 - this.#pool.takenPages >= pages) return;
    throw new NiobeError('STORE_FULL', `all ${this.#pool.pages} pages of key indexes are in use`);
  }

  /** Makes a table an empty one of so many pages. */
  #takePages(table: number, pages: number): void {
    setPages(this.#tables, table, pages);
    for (let page = 0; page < pages; page++) setBase(this.#tables, table, page, this.#pool.take(0));
  }

  #givePages(table: number): void {
    const pages = pagesOf(this.#tables, table);
    for (let page = 0; page < pages; page++) this.#pool.give(baseOf(this.#tables, table, page));
  }

  /** Leaves more bits for the slot, and fewer for the hash, in all words of a table. Happens as often as slots double. */
  #widenSlots(table: number, slotBits: number): void {
    const tables = this.#tables;
    const words = this.#words;
    const before = slotBitsOf(tables, table);
    const slotMask = (1 << before) - 1;
    for (let chunk = 0; chunk < chunksOf(tables, table); chunk++) {
      const at = chunkAt(tables, table, chunk);
      for (let i = at + 1; i < at + CHUNK_WORDS; i++) {
        const word = words[i]!;
        if (word !== 0) words[i] = ((word >>> before) << slotBits) | (word & slotMask);
      }
    }
    setBits(tables, table, localBitsOf(tables, table), slotBits);
  }
}

/** A table: the lowest hash that belongs there as a share of all hashes, the bits that all its hashes share, and its keys. */
export interface TableLoad {
  readonly firstHash: number;
  readonly sharedBits: number;
  readonly keys: number;
}

/** What the index asks of the cells in its slots. */
export interface KeysOfSlots {
  /** Where the slot's cell is, if it is of the schema and has this key; else 0. */
  addressIfAt(slot: number, schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): number;
  /** True if the cells of two slots are of one schema and have one key. */
  areSame(slot: number, other: number): boolean;
  /** The hash of the key of the slot's cell. */
  hashOf(slot: number): number;
}

/** Tables get some keys more or less than their share, by chance: three times the square root covers nearly all of them. */
function pagesForShare(keys: number): number {
  const pages = (keys + 3 * Math.sqrt(keys)) / (PAGE_CHUNKS * KEYS_PER_CHUNK);
  return Math.min(TABLE_PAGES_MAX, Math.max(1, Math.ceil(pages)));
}

/** Nearly always 10; more where hashes are badly spread, so that there is room for all. */
function pagesOfHalf(keys: number): number {
  return Math.min(TABLE_PAGES_MAX, Math.max(1, Math.ceil(keys / KEYS_PER_PAGE_OF_HALF)));
}

/** Keys per chunk at which a table is full. */
const KEYS_PER_CHUNK: number = CHUNK_KEYS * 0.87;
/** As many keys a page of a table that was split has at first. */
const KEYS_PER_PAGE_OF_HALF = 700;
/** Pages of a table after it grew, by its pages before. */
const PAGES_AFTER = [0, 2, 3, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14, 16, 16] as const;
/** With what chance adds to it, a table of so many keys is not full at once. */
const KEYS_EXPECTED_MAX: number = 15 * PAGE_CHUNKS * KEYS_PER_CHUNK;
/** A directory of at most 65,536: enough for 400 million keys of one partition. */
const LOCAL_BITS_MIN: number = HASH_BITS - 16;
/** Bits of a place within its chunk. */
const PLACE_BITS = 4;
/** One rebuild is under way at a time. */
const REBUILD = new KeyRebuild();
