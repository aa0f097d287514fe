import { NiobeError } from '@niobe/kernel';
import { readCsv } from './csv-file.ts';
import type { Mapping } from './mapping.ts';
import { isEvent, RowMapper, type DeclaredEvent, type ReplayEvent } from './row-mapper.ts';

/** Consecutive rows of a file as events. */
export interface EventBatch {
  /** Data rows before this batch; the header is not counted. */
  readonly rowsBefore: number;
  /** Data rows of this batch, refused ones included. */
  readonly rows: number;
  readonly events: readonly ReplayEvent[];
  /** Data row of each event, from 1. */
  readonly eventRows: readonly number[];
  readonly refused: readonly { readonly row: number; readonly reason: string }[];
  /** Bytes of the file that were read to make this batch. */
  readonly fileBytesRead: number;
}

export interface EventBatchOptions {
  readonly path: string;
  readonly mapping: Mapping;
  readonly events: readonly DeclaredEvent[];
  /** Rows of a batch, at most. */
  readonly batchRows?: number;
  /** Data rows to pass over at the start; they are still counted. */
  readonly skipRows?: number;
}

export const BATCH_ROWS = 1_000;

/**
 * The events of a CSV file in file order. One pass, memory bounded by one piece of the file and the mapping's counters.
 * `MALFORMED` for a file that is no CSV, `BAD_DECLARATION` for a mapping that does not fit its header.
 */
export async function* eventBatches(options: EventBatchOptions): AsyncGenerator<EventBatch> {
  const { mapping, batchRows = BATCH_ROWS, skipRows = 0 } = options;
  const cutter = new BatchCutter(batchRows);
  let mapper = mapping.columns === undefined ? null : new RowMapper(mapping, mapping.columns, options.events);
  let row = 0;
  let fileBytesDone = 0;
  for await (const { rows, fileBytesRead } of readCsv(options.path, mapping.separator)) {
    for (const cells of rows) {
      if (cells.length === 1 && cells[0] === '') continue;
      if (mapper === null) {
        mapper = new RowMapper(mapping, cells, options.events);
      } else if (row++ < skipRows) {
        mapper.skip(cells);
      } else {
        cutter.add(row, mapper.map(cells));
        if (cutter.full) yield cutter.cut(fileBytesRead);
      }
    }
    fileBytesDone = fileBytesRead;
  }
  if (!cutter.empty) yield cutter.cut(fileBytesDone);
  if (mapper === null) throw new NiobeError('MALFORMED', `${options.path} is empty; a header line was expected`);
}

/** Gathers mapped rows. */
class BatchCutter {
  readonly #batchRows: number;
  #events: ReplayEvent[] = [];
  #eventRows: number[] = [];
  #refused: { row: number; reason: string }[] = [];
  #lastRow = 0;

  constructor(batchRows: number) {
    this.#batchRows = batchRows;
  }

  get #rows(): number {
    return this.#events.length + this.#refused.length;
  }

  get full(): boolean {
    return this.#rows >= this.#batchRows;
  }

  get empty(): boolean {
    return this.#rows === 0;
  }

  /** @param row number of the data row, from 1. */
  add(row: number, mapped: ReturnType<RowMapper['map']>): void {
    this.#lastRow = row;
    if (isEvent(mapped)) {
      this.#events.push(mapped);
      this.#eventRows.push(row);
    } else {
      this.#refused.push({ row, reason: mapped.reason });
    }
  }

  cut(fileBytesRead: number): EventBatch {
    const rows = this.#rows;
    const batch = {
      rowsBefore: this.#lastRow - rows,
      rows,
      events: this.#events,
      eventRows: this.#eventRows,
      refused: this.#refused,
      fileBytesRead,
    };
    this.#events = [];
    this.#eventRows = [];
    this.#refused = [];
    return batch;
  }
}
