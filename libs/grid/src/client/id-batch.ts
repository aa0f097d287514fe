import type { GetReply } from '../frames/get.ts';
import type { CellColumns } from './get-run.ts';
import type { KeyBatch } from './key-batch.ts';

/** Stands for the id of a cell that does not exist. */
export const NO_CELL = -1;

/** The ids that were found for the keys of a {@link KeyBatch}; {@link NO_CELL} where there is no cell. */
export class IdBatch implements CellColumns {
  readonly idsOnly = true;
  readonly ids: Float64Array;

  constructor(keys: KeyBatch) {
    this.ids = new Float64Array(keys.length).fill(NO_CELL);
  }

  take(index: number, reply: GetReply): void {
    this.ids[index] = reply.id;
  }
}
