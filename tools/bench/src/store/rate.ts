import { assert, systemClock, type ByteWriter } from '@niobe/kernel';
import { BLOCK_CELLS, FIRST_FIELD_AT, SCHEMA_ID, type CellBlock, type LoadedStore } from './loaded-store.ts';

/** Passes of which the median counts, as the peers do it. */
const PASSES = 5;
const BLOCKS_PER_PASS = 8;

/**
 * Operations a second on blocks of random existing cells, the median of some passes. What `work` returns is checked: the sum of the
 * numbers of the cells, read from their bodies, in 32 bits so that it is never a number on the heap.
 */
export function rateOf(loaded: LoadedStore, work: (block: CellBlock, ids: Float64Array) => number): number {
  const rates: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    let spentMs = 0;
    for (let i = 0; i < BLOCKS_PER_PASS; i++) spentMs += timeOf(loaded, work);
    rates.push((BLOCKS_PER_PASS * BLOCK_CELLS * 1000) / spentMs);
  }
  return rates.toSorted((a, b) => a - b)[PASSES >> 1] ?? Number.NaN;
}

function timeOf(loaded: LoadedStore, work: (block: CellBlock, ids: Float64Array) => number): number {
  const numbers = loaded.randomNumbers(BLOCK_CELLS);
  const block = loaded.block(numbers);
  const ids = Float64Array.from(numbers, (n) => loaded.ids[n]!);
  const startMs = systemClock.monotonicMs();
  const sum = work(block, ids);
  const spentMs = systemClock.monotonicMs() - startMs;
  assert(sum === numbers.reduce((total, n) => (total + n) | 0, 0), 'every cell was found and read');
  return spentMs;
}

/**
 * Cells a second that are put over others of the same numbers but for the last byte of their bodies. Few enough that the log takes them
 * without cleaning.
 */
export function overwriteRate(loaded: LoadedStore): number {
  const rates: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    const block = loaded.block(loaded.randomNumbers(BLOCK_CELLS));
    for (let cell = 1; cell <= block.count; cell++) block.bytes[block.starts[2 * cell]! - 1] = pass;
    const startMs = systemClock.monotonicMs();
    loaded.put(block);
    rates.push((BLOCK_CELLS * 1000) / (systemClock.monotonicMs() - startMs));
  }
  return rates.toSorted((a, b) => a - b)[PASSES >> 1] ?? Number.NaN;
}

/** Reads by id; of each cell the number in its first field. */
export function getById(loaded: LoadedStore, ids: Float64Array): number {
  const { store } = loaded;
  let sum = 0;
  for (let i = 0; i < ids.length; i++) {
    const address = store.addressOfId(ids[i]!);
    sum = (sum + numberIn(store.bytes, store.bodyStartAt(address))) | 0;
  }
  return sum;
}

/** Reads by key; of each cell the number in its first field. */
export function getByKey(loaded: LoadedStore, block: CellBlock): number {
  const { store } = loaded;
  let sum = 0;
  for (let i = 0; i < block.count; i++) {
    const keyAt = block.starts[2 * i]!;
    const address = store.addressOfKey(SCHEMA_ID, block.bytes, keyAt, block.starts[2 * i + 1]! - keyAt);
    sum = (sum + numberIn(store.bytes, store.bodyStartAt(address))) | 0;
  }
  return sum;
}

/** Reads many by id into one buffer; of each body there the number in its first field. */
export function getMany(loaded: LoadedStore, ids: Float64Array, out: ByteWriter): number {
  let sum = 0;
  for (let from = 0; from < ids.length; from += CELLS_PER_CALL) {
    const count = Math.min(CELLS_PER_CALL, ids.length - from);
    out.reset();
    loaded.store.getMany(ids.subarray(from, from + count), count, out);
    for (let i = 0; i < count; i++) sum = (sum + numberIn(out.buffer, out.view.getUint32(i * RANGE_BYTES, true))) | 0;
  }
  return sum;
}

/** Cells of one call of getMany. */
const CELLS_PER_CALL = 1_000;
/** What getMany says of each body before the bodies: where it begins, and its bytes. */
const RANGE_BYTES = 8;

/** The number in a body, which is below 2^31. */
function numberIn(bytes: Uint8Array, bodyAt: number): number {
  const at = bodyAt + FIRST_FIELD_AT;
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
