import { LINK_IDS_MAX } from '@niobe/grid';
import { assert, NiobeError } from '@niobe/kernel';
import { REF_BYTES, refAt } from './list-cells.ts';

/** The references that a link names: read, sorted, and freed of those that the list has already. */
export class NewRefs {
  /** Ascending, each once, up to {@link count}. */
  readonly refs: Float64Array = new Float64Array(LINK_IDS_MAX);
  count = 0;
  readonly #highEnd: number;

  /** @param partitions ids name partitions below this */
  constructor(partitions: number) {
    this.#highEnd = partitions * GENERATIONS;
  }

  /** Takes `count` ids of 8 bytes from outside. Throws `SCHEMA_VIOLATION` where one names a partition that does not exist. */
  read(bytes: Uint8Array, at: number, count: number): void {
    assert(count > 0 && count <= LINK_IDS_MAX, 'a link names 1 to 8,192 neighbours');
    const { refs } = this;
    let isAscending = true;
    for (let i = 0, from = at; i < count; i++, from += REF_BYTES) {
      const high = wordAt(bytes, from + 4);
      if (high >= this.#highEnd) throw outside(high);
      refs[i] = high * TWO_32 + wordAt(bytes, from);
      if (i > 0 && refs[i]! <= refs[i - 1]!) isAscending = false;
    }
    this.count = isAscending ? count : sortOnce(refs, count);
  }

  /** Drops what stands among `count` references in any order. */
  dropAmong(view: DataView, refsAt: number, count: number): void {
    const { refs } = this;
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      let at = refsAt;
      const end = refsAt + count * REF_BYTES;
      while (at < end && refAt(view, at) !== refs[i]) at += REF_BYTES;
      if (at === end) refs[kept++] = refs[i]!;
    }
    this.count = kept;
  }

  /** Drops what stands among `count` ascending references. O(new * log count). */
  dropAscending(view: DataView, refsAt: number, count: number): void {
    const { refs } = this;
    const last = refAt(view, refsAt + (count - 1) * REF_BYTES);
    let kept = 0;
    let place = 0;
    for (let i = 0; i < this.count; i++) {
      const ref = refs[i]!;
      if (ref <= last) {
        place = firstNotBelow(view, refsAt, place, count, ref);
        if (refAt(view, refsAt + place * REF_BYTES) === ref) continue;
      }
      refs[kept++] = ref;
    }
    this.count = kept;
  }
}

/** Generations of a slot, as they stand in an id below the partition. */
const GENERATIONS = 0x100;
const TWO_32 = 0x1_0000_0000;
/** Up to here sorting by insertion is faster than a call of the built-in. */
const INSERTION_REFS_MAX = 32;

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function outside(high: number): NiobeError {
  const message = `a neighbour in partition ${Math.floor(high / GENERATIONS)}, which does not exist`;
  return new NiobeError('SCHEMA_VIOLATION', message, { path: 'refs' });
}

/** Sorts the first `count` references, keeps each once, and returns how many there are. */
function sortOnce(refs: Float64Array, count: number): number {
  sortRefs(refs, count);
  let kept = 1;
  for (let i = 1; i < count; i++) if (refs[i] !== refs[kept - 1]) refs[kept++] = refs[i]!;
  return kept;
}

/** Sorts the first `count` references in place. */
export function sortRefs(refs: Float64Array, count: number): void {
  if (count > INSERTION_REFS_MAX) {
    refs.subarray(0, count).sort();
    return;
  }
  for (let i = 1; i < count; i++) {
    const ref = refs[i]!;
    let to = i;
    for (; to > 0 && refs[to - 1]! > ref; to--) refs[to] = refs[to - 1]!;
    refs[to] = ref;
  }
}

/** The first place from `start` on whose reference is not below `ref`; `count` where there is none. */
function firstNotBelow(view: DataView, refsAt: number, start: number, count: number, ref: number): number {
  let low = start;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (refAt(view, refsAt + middle * REF_BYTES) < ref) low = middle + 1;
    else high = middle;
  }
  return low;
}
