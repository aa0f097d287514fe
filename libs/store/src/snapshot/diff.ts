import { assert, NiobeError } from '@niobe/kernel';
import { SCAN_END } from '../cell-reader.ts';
import { generationAt, KIND, kindAt, versionWordAt } from '../entry.ts';
import { PAGE_SLOTS } from '../page-pool.ts';
import type { SnapshotReader } from './snapshot-reader.ts';

/** How two snapshots differ, as ids of cells. */
export interface SnapshotDiff {
  /** Written again. */
  readonly changed: Float64Array;
  /** Only in the second. */
  readonly added: Float64Array;
  /** Only in the first. */
  readonly deleted: Float64Array;
  /** Where to go on, `SCAN_END` at the end. */
  readonly cursor: number;
}

/**
 * What was written between two snapshots of one partition. Pages that nobody wrote are the same in both and are passed over; of the
 * others slot by slot the generation and version of the cells are compared, so that what the cleaner moved is no change. A cell that
 * expired is deleted once the cleaner or a writer has come by. O(pages + slots of pages that differ).
 *
 * @param cursor 0 at first
 * @param limitIds stops behind the page where so many were found; a page gives at most 2,048
 */
export function diffSnapshots(
  first: SnapshotReader,
  second: SnapshotReader,
  cursor = 0,
  limitIds: number = DIFF_IDS,
): SnapshotDiff {
  assert(first.partition === second.partition, 'snapshots of one partition are compared');
  if (!Number.isInteger(cursor) || cursor < 0) throw new NiobeError('BAD_REQUEST', 'a cursor that no diff gave');
  return first.read(() => second.read(() => diffPages(first, second, cursor, limitIds)));
}

function diffPages(first: SnapshotReader, second: SnapshotReader, cursor: number, limitIds: number): SnapshotDiff {
  const found = { changed: new IdColumn(), added: new IdColumn(), deleted: new IdColumn() };
  const pages = Math.max(first.pages, second.pages);
  let page = cursor;
  while (page < pages && found.changed.count + found.added.count + found.deleted.count < limitIds) {
    if (first.pageBase(page) !== second.pageBase(page)) diffPage(first, second, page, found);
    page += 1;
  }
  return {
    changed: found.changed.ids(),
    added: found.added.ids(),
    deleted: found.deleted.ids(),
    cursor: page < pages ? page : SCAN_END,
  };
}

interface Found {
  readonly changed: IdColumn;
  readonly added: IdColumn;
  readonly deleted: IdColumn;
}

function diffPage(first: SnapshotReader, second: SnapshotReader, page: number, found: Found): void {
  for (let slot = page * PAGE_SLOTS; slot < (page + 1) * PAGE_SLOTS; slot++) {
    const before = first.address(slot);
    const after = second.address(slot);
    if (before !== after) diffSlot(first, second, slot, before, after, found);
  }
}

function diffSlot(
  first: SnapshotReader,
  second: SnapshotReader,
  slot: number,
  before: number,
  after: number,
  found: Found,
): void {
  const { words } = first;
  const was = kindAt(words, before) === KIND.cell;
  const is = kindAt(words, after) === KIND.cell;
  if (was && is && generationAt(words, before) === generationAt(words, after)) {
    if (!sameVersion(first, before, after)) found.changed.push(second.idOf(slot));
    return;
  }
  if (was) found.deleted.push(first.idOf(slot));
  if (is) found.added.push(second.idOf(slot));
}

/** Two entries of one version are one, moved by the cleaner. */
function sameVersion(memory: SnapshotReader, before: number, after: number): boolean {
  const isSameSeq = memory.words[before + 3] === memory.words[after + 3];
  return isSameSeq && versionWordAt(memory, before) === versionWordAt(memory, after);
}

/** Ids that a call gathers unless it is told otherwise: 8 MiB. */
const DIFF_IDS: number = 1024 * 1024;

/** Ids in order of their slots; grows by doubling up to what a page adds to the limit of a call. */
class IdColumn {
  #ids = new Float64Array(64);
  count = 0;

  push(id: number): void {
    if (this.count === this.#ids.length) {
      const grown = new Float64Array(this.#ids.length * 2);
      grown.set(this.#ids);
      this.#ids = grown;
    }
    this.#ids[this.count++] = id;
  }

  ids(): Float64Array {
    return this.#ids.subarray(0, this.count);
  }
}
