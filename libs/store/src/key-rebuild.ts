import {
  CAME_FROM_FAR,
  CHUNK_WORDS,
  chunkAt,
  CHUNK_KEYS,
  chunkOf,
  chunksOf,
  firstOfChunk,
  HASH_BITS,
  localBitsOf,
  PAGE_CHUNKS,
  putInChunk,
  slotBitsOf,
  TABLE_KEYS_MAX,
  TABLE_PAGES_MAX,
  valuesPerChunk,
  WENT_ON,
} from './key-tables.ts';

/**
 * The keys of a table on their way to where they go when it grows.
 *
 * Their hashes are put together again from chunk and word (quotienting: Knuth 6.4, exercise 13; Cleary 1984), without looking at a cell,
 * which would be two misses of the cache each. It works while the bits in the word tell apart all that begin in one chunk, as they do
 * unless the partition has far more slots than keys; and not for a key that came from further than the chunk before. Such keys are hashed
 * anew.
 */
export class KeyRebuild {
  readonly #hashes = new Uint32Array(TABLE_KEYS_MAX);
  readonly #slots = new Uint32Array(TABLE_KEYS_MAX);
  #count = 0;
  /** By chunk of each of two tables: the keys put there so far. */
  readonly #filled = [new Uint8Array(TABLE_PAGES_MAX * PAGE_CHUNKS), new Uint8Array(TABLE_PAGES_MAX * PAGE_CHUNKS)];

  /**
   * Takes note of all keys of a table.
   *
   * @param someHash of any key there @param hashOf gives the hash of a slot's key from its cell
   */
  read(
    tables: Uint32Array,
    words: Uint32Array,
    table: number,
    someHash: number,
    hashOf: (slot: number) => number,
  ): void {
    const chunks = chunksOf(tables, table);
    const localBits = localBitsOf(tables, table);
    const slotBits = slotBitsOf(tables, table);
    const slotMask = 2 ** slotBits - 1;
    const hashMask = 2 ** Math.min(HASH_BITS, 32 - slotBits) - 1;
    const isExact = valuesPerChunk(localBits, chunks) <= hashMask + 1;
    const shared = (someHash >>> localBits) << localBits;
    let before = shared + firstOfChunk(chunks - 1, localBits, chunks);
    this.#count = 0;
    for (let chunk = 0; chunk < chunks; chunk++) {
      const at = chunkAt(tables, table, chunk);
      const about = words[at]!;
      const own = shared + firstOfChunk(chunk, localBits, chunks);
      for (let place = 1; place < CHUNK_WORDS; place++) {
        const word = words[at + place]!;
        if (word === 0) continue;
        const slot = (word & slotMask) - 1;
        const isDisplaced = ((about >>> place) & 1) === 1;
        const isKnown = isExact && !(isDisplaced && (about & CAME_FROM_FAR) !== 0);
        const first = isDisplaced ? before : own;
        this.#note(slot, isKnown ? first + (((word >>> slotBits) - first) & hashMask) : hashOf(slot));
      }
      before = own;
    }
  }

  #note(slot: number, hash: number): void {
    this.#hashes[this.#count] = hash;
    this.#slots[this.#count] = slot;
    this.#count += 1;
  }

  /** Keys that were read. */
  get count(): number {
    return this.#count;
  }

  /** Keys whose hash has a bit. */
  countWith(bit: number): number {
    let count = 0;
    for (let i = 0; i < this.#count; i++) count += (this.#hashes[i]! >>> bit) & 1;
    return count;
  }

  /** Puts the keys into an empty table. */
  writeTo(tables: Uint32Array, words: Uint32Array, table: number): void {
    this.#filled[0]!.fill(0);
    for (let i = 0; i < this.#count; i++) this.#put(tables, words, table, this.#filled[0]!, i);
  }

  /** Puts the keys into two empty tables, by the highest bit in which their hashes differ. */
  writeToHalves(tables: Uint32Array, words: Uint32Array, lower: number, upper: number): void {
    const bit = localBitsOf(tables, lower);
    for (const filled of this.#filled) filled.fill(0);
    for (let i = 0; i < this.#count; i++) {
      const half = (this.#hashes[i]! >>> bit) & 1;
      this.#put(tables, words, half === 0 ? lower : upper, this.#filled[half]!, i);
    }
  }

  /** As `putKey`, but chunks that are full are known without a look at them: many where hashes are badly spread. */
  #put(tables: Uint32Array, words: Uint32Array, table: number, filled: Uint8Array, key: number): void {
    const bits = this.#hashes[key]!;
    const chunks = chunksOf(tables, table);
    let chunk = chunkOf(bits, localBitsOf(tables, table), chunks);
    let far = 0;
    while (filled[chunk] === CHUNK_KEYS) {
      words[chunkAt(tables, table, chunk)]! += WENT_ON;
      chunk = chunk + 1 === chunks ? 0 : chunk + 1;
      far += 1;
    }
    filled[chunk]! += 1;
    putInChunk(tables, words, table, chunk, far, bits, this.#slots[key]!);
  }
}
