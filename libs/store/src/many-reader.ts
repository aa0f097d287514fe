import type { CompiledSchema, Projection } from '@niobe/cells';
import { assert, type ByteWriter } from '@niobe/kernel';
import type { CellReader } from './cell-reader.ts';
import { BODY_BITS, bodyBytesAt, bodyStartAt, keyWordAt, schemaIdAt, WORD_BYTES } from './entry.ts';
import { PAGE_BITS, PAGE_MASK } from './page-pool.ts';
import type { Parts } from './parts.ts';

// The engine puts a file's own constants into the code as they are, but loads and checks imported ones at each use.
const SHIFT: number = PAGE_BITS;
const MASK: number = PAGE_MASK;
const WORD: number = WORD_BYTES;
const LENGTH_BITS: number = BODY_BITS;
const LENGTH_MASK: number = (1 << BODY_BITS) - 1;
const keyWordOf = keyWordAt;

/**
 * Reads many cells at a time. One after the other, each would wait for its slot, then for its header, then for its bytes. Here each step
 * is a short loop over a group of cells, in which the processor waits for many misses of the cache at once.
 */
export class ManyReader {
  readonly #parts: Parts;
  readonly #reader: CellReader;
  /** Slots that the index gave for keys, -1 for none. */
  readonly #guesses = new Float64Array(GROUP_CELLS);
  /** Where the cells of the group are; 0 for none, as there is no entry. */
  readonly #addresses = new Uint32Array(GROUP_CELLS);
  readonly #starts = new Float64Array(GROUP_CELLS);
  readonly #lengths = new Uint32Array(GROUP_CELLS);
  /** The word in which the body of each begins, and in how many it lies. */
  readonly #firsts = new Uint32Array(GROUP_CELLS);
  readonly #counts = new Uint32Array(GROUP_CELLS);
  /** Words that are read ahead, to have their lines in the cache. */
  readonly #ahead = new Uint32Array(GROUP_CELLS);

  constructor(parts: Parts, reader: CellReader) {
    this.#parts = parts;
    this.#reader = reader;
  }

  /** See `PartitionStore.getMany`. */
  getMany(ids: Float64Array, count: number, out: ByteWriter): number {
    assert(count <= ids.length, 'every cell that is asked for has an id');
    return this.#collect(count, out, (from, group) => this.#locateIds(ids, from, group));
  }

  /** See `PartitionStore.getManyByKey`. */
  getManyByKey(schemaId: number, keys: Uint8Array, starts: Uint32Array, count: number, out: ByteWriter): number {
    assert(count < starts.length, 'every key has a beginning and an end');
    const schema = this.#reader.keyedSchema(schemaId);
    return this.#collect(count, out, (from, group) => this.#locateKeys(schema, keys, starts, from, group));
  }

  /** Writes the bodies of cells to `out`, group by group as `locate` finds them; returns how many there are. */
  #collect(count: number, out: ByteWriter, locate: (from: number, group: number) => void): number {
    const begin = out.length;
    try {
      const ranges = beginRanges(count, out);
      let found = 0;
      for (let from = 0; from < count; from += GROUP_CELLS) {
        const group = Math.min(GROUP_CELLS, count - from);
        locate(from, group);
        found += this.#copyBodies(group, out, ranges, from);
      }
      return found;
    } catch (error) {
      out.truncate(begin);
      throw error;
    }
  }

  /** See `PartitionStore.project`. */
  project(schemaId: number, ids: Float64Array, count: number, projection: Projection, rows: Int32Array): number {
    assert(count <= ids.length && count <= rows.length, 'every cell that is asked for has an id and a row');
    for (let from = 0; from < count; from += GROUP_CELLS) {
      const group = Math.min(GROUP_CELLS, count - from);
      this.#locateIds(ids, from, group);
      const done = this.#projectGroup(schemaId, group, projection, rows, from);
      if (done < group) return from + done;
    }
    return count;
  }

  #locateIds(ids: Float64Array, from: number, group: number): void {
    const { bases, words: pages } = this.#parts.slots;
    const addresses = this.#addresses;
    for (let i = 0; i < group; i++) {
      const slot = ids[from + i]! >>> 0;
      const page = slot >>> SHIFT;
      addresses[i] = page < bases.length ? pages[bases[page]! | (slot & MASK)]! : 0;
    }
    this.#readHeadersAhead(group);
    for (let i = 0; i < group; i++) if (!this.#reader.isOfId(addresses[i]!, ids[from + i]!)) addresses[i] = 0;
  }

  /** The index first guesses slots without a look at cells; only where a guess is wrong it searches alone. */
  #locateKeys(schema: CompiledSchema, keys: Uint8Array, starts: Uint32Array, from: number, group: number): void {
    const { index, slots } = this.#parts;
    const guesses = this.#guesses;
    const addresses = this.#addresses;
    for (let i = 0; i < group; i++) {
      const keyAt = starts[from + i]!;
      guesses[i] = index.guess(schema.hashKey(keys, keyAt, starts[from + i + 1]! - keyAt));
    }
    for (let i = 0; i < group; i++) addresses[i] = guesses[i]! < 0 ? 0 : slots.address(guesses[i]!);
    this.#readHeadersAhead(group);
    for (let i = 0; i < group; i++) {
      if (addresses[i] === 0) continue;
      const keyAt = starts[from + i]!;
      addresses[i] = this.#reader.addressFrom(guesses[i]!, schema, keys, keyAt, starts[from + i + 1]! - keyAt);
    }
  }

  #readHeadersAhead(group: number): void {
    const { words } = this.#parts.arena;
    const addresses = this.#addresses;
    const ahead = this.#ahead;
    for (let i = 0; i < group; i++) ahead[i] = words[addresses[i]!]!;
  }

  /** Appends the bodies of the group, and writes their ranges. */
  #copyBodies(group: number, out: ByteWriter, ranges: number, from: number): number {
    const words = this.#parts.arena.words;
    const addresses = this.#addresses;
    const firsts = this.#firsts;
    const counts = this.#counts;
    const bytes = this.#measure(group);
    const to = out.reserve(bytes);
    const outWords = new Uint32Array(out.buffer.buffer, 0, (to + bytes) / WORD);
    let range = ranges / WORD + from * 2;
    let next = to / WORD;
    let found = 0;
    for (let i = 0; i < group; i++, range += 2) {
      const address = addresses[i]!;
      if (address === 0) continue;
      const lengths = words[address + 2]!;
      const aside = (lengths >>> LENGTH_BITS) & 3;
      outWords[range] = next * WORD + aside - ranges;
      outWords[range + 1] = lengths & LENGTH_MASK;
      const first = firsts[i]!;
      const count = counts[i]!;
      outWords[next] = words[first]! & (-1 << (aside * 8));
      for (let word = 1; word < count; word++) outWords[next + word] = words[first + word]!;
      next += count;
      found += 1;
    }
    return found;
  }

  /**
   * Notes the words in which the bodies of the group lie, the first and last perhaps in part, and returns how many bytes those take. What
   * the first has before the body is made zero in the copy; behind the body an entry is filled up with zeros. Reads their ends ahead.
   */
  #measure(group: number): number {
    const words = this.#parts.arena.words;
    const addresses = this.#addresses;
    const firsts = this.#firsts;
    const counts = this.#counts;
    const ahead = this.#ahead;
    let sum = 0;
    for (let i = 0; i < group; i++) {
      const address = addresses[i]!;
      if (address === 0) continue;
      const lengths = words[address + 2]!;
      const keyBytes = lengths >>> LENGTH_BITS;
      const first = keyWordOf(words, address) + (keyBytes >>> 2);
      const count = ((keyBytes & 3) + (lengths & LENGTH_MASK) + 3) >>> 2;
      ahead[i] = words[first + count - 1]!;
      firsts[i] = first;
      counts[i] = count;
      sum += count;
    }
    return sum * WORD;
  }

  /** Appends the group's cells to a projection as far as it has room; returns how many ids that was. */
  #projectGroup(schemaId: number, group: number, projection: Projection, rows: Int32Array, from: number): number {
    const { arena } = this.#parts;
    let count = 0;
    for (let i = 0; i < group; i++) {
      const address = this.#addresses[i]!;
      rows[from + i] = -1;
      if (address === 0 || schemaIdAt(arena.words, address) !== schemaId) continue;
      rows[from + i] = projection.rows + count;
      this.#starts[count] = bodyStartAt(arena.words, address);
      this.#lengths[count] = bodyBytesAt(arena.words, address);
      count += 1;
    }
    const end = projection.rows + projection.add(arena.bytes, this.#starts, this.#lengths, 0, count);
    for (let i = 0; i < group; i++) if (rows[from + i]! >= end) return i;
    return group;
  }
}

/** Begins the result at a multiple of four bytes with a range for each cell, all empty; returns where. */
function beginRanges(count: number, out: ByteWriter): number {
  const gap = -out.length & (WORD - 1);
  const at = out.reserve(gap + count * RANGE_BYTES);
  out.buffer.fill(0, at, out.length);
  return at + gap;
}

/** Cells whose headers and bodies stay in the first caches from one step to the next. */
const GROUP_CELLS = 256;
/** Where a body begins, and its bytes; u32 each. */
const RANGE_BYTES = 8;
