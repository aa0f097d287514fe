import { deadLetter, type OutgoingRecord, type ReadEvent, type RecordBatch, type RecordReader } from '@niobe/events';
import { isNiobeError, NiobeError } from '@niobe/kernel';
import { EventIdentity } from '../seen/event-identity.ts';
import { CELL_IDS_MAX, type SeenCellBuilder } from '../seen/seen-cell.ts';
import { IDS_WORTH_A_CELL } from '../seen/seen-store.ts';
import type { SeenTable } from '../seen/seen-table.ts';
import type { EventFolder } from './derivation.ts';

/**
 * Reads, deduplicates and folds records of a batch, as many as make one run: a stretch of offsets that is sent together. Synchronous;
 * what happens to a record depends on the Kafka partition's content alone, so a replay of the run does the same.
 */

/** Records of one run: their ids fit one deduplication cell together with those it held before. */
export const RUN_RECORDS_MAX: number = CELL_IDS_MAX - IDS_WORTH_A_CELL;

/** What a run came to. */
export interface FoldedRun {
  readonly from: number;
  readonly to: number;
  readonly events: number;
  readonly duplicates: number;
  readonly expired: number;
  readonly dead: readonly OutgoingRecord[];
  /** Kafka timestamp of the newest record in Unix seconds; 0 where there was none. */
  readonly newestS: number;
  /** Highest event time, at least what was given. */
  readonly watermarkMs: number;
}

export class RunFolder {
  readonly #reader: RecordReader;
  readonly #event: ReadEvent;
  readonly #folder: EventFolder;
  readonly #identity = new EventIdentity();
  #events = 0;
  #duplicates = 0;
  #newestS = 0;
  #watermarkMs = 0;
  #dead: OutgoingRecord[] = [];

  constructor(reader: RecordReader, folder: EventFolder) {
    this.#reader = reader;
    this.#event = reader.newEvent();
    this.#folder = folder;
  }

  /**
   * Folds the records of `batch` at offsets from `from` on, up to `to` at most.
   *
   * @param done by stage and grid partition, see `LaneCursors.done`.
   * @param countFrom records below were counted and dead-lettered before; they are read for the deduplication table alone.
   */
  fold(
    batch: RecordBatch,
    from: number,
    to: number,
    done: readonly Float64Array[],
    countFrom: number,
    watermarkMs: number,
    table: SeenTable,
    seen: SeenCellBuilder,
  ): FoldedRun {
    this.#events = this.#duplicates = this.#newestS = 0;
    this.#watermarkMs = watermarkMs;
    this.#dead = [];
    this.#folder.begin(done);
    let index = firstAtOrAbove(batch.offsets, from);
    const end = Math.min(batch.offsets.length, index + RUN_RECORDS_MAX);
    for (; index < end && batch.offsets[index]! < to && !this.#folder.full; index++) {
      this.#take(batch, index, countFrom, table, seen);
    }
    const next = batch.offsets[index];
    return {
      from,
      to: next === undefined || next >= to ? to : next,
      events: this.#events,
      duplicates: this.#duplicates,
      expired: this.#folder.expired,
      dead: this.#dead,
      newestS: this.#newestS,
      watermarkMs: this.#watermarkMs,
    };
  }

  #take(batch: RecordBatch, index: number, countFrom: number, table: SeenTable, seen: SeenCellBuilder): void {
    const offset = batch.offsets[index]!;
    const arrivalMs = batch.timestamps[index]!;
    const second = Math.max(0, Math.floor(arrivalMs / 1000));
    const counts = offset >= countFrom;
    this.#newestS = Math.max(this.#newestS, second);
    seen.sawRecord(second);
    if (!this.#read(batch, index, counts)) return;
    const event = this.#event;
    if (event.timeMs > this.#watermarkMs) this.#watermarkMs = event.timeMs;
    this.#identity.read(event.source, event.id);
    if (table.isDuplicate(this.#identity.hash, 0, offset, second)) {
      if (counts) this.#duplicates += 1;
      return;
    }
    seen.add(this.#identity.hash, offset, second);
    if (counts) this.#events += 1;
    const refusal = this.#folder.fold(event, offset, arrivalMs);
    if (refusal !== null && counts) this.#dead.push(deadLetter(batch, index, new NiobeError('OVERFLOW', refusal)));
  }

  /** False: the record is no valid event. */
  #read(batch: RecordBatch, index: number, counts: boolean): boolean {
    try {
      this.#reader.read(batch, index, this.#event);
      return true;
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      if (counts) this.#dead.push(deadLetter(batch, index, error));
      return false;
    }
  }
}

/** Index of the first offset at or above `offset`. O(log n). */
function firstAtOrAbove(offsets: readonly number[], offset: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
