import { NiobeError } from '@niobe/kernel';
import { badRequest } from './clause.ts';
import type { ProjectedColumn } from './projected-column.ts';

/** A path to project. `exact` keeps integers of 64 bits as two u32 instead of rounding them to doubles. */
export interface ProjectedPath {
  readonly path: string;
  readonly exact?: true;
}

/** What a projection may grow to. */
export interface ProjectionBounds {
  readonly rowsMax: number;
  /** Bytes of all ranges, and of all items of lists at eight bytes each. */
  readonly bytesMax: number;
}

/** Columns of one projection. */
const PROJECTED_PATHS_MAX = 255;

/**
 * Some paths of many bodies as columns: numbers as doubles or as two u32, all else as one run of bytes with offsets, nulls as bits. No
 * object is made for a row; cleared and filled again, a projection allocates nothing once it has grown.
 */
export class Projection {
  readonly columns: readonly ProjectedColumn[];
  readonly #bounds: ProjectionBounds;
  #rows = 0;

  /** Use `CompiledSchema.compileProjection`. */
  constructor(columns: readonly ProjectedColumn[], bounds: ProjectionBounds) {
    if (columns.length > PROJECTED_PATHS_MAX) throw badRequest(`${columns.length} paths exceed ${PROJECTED_PATHS_MAX}`);
    this.columns = columns;
    this.#bounds = bounds;
  }

  get rows(): number {
    return this.#rows;
  }

  clear(): void {
    this.#rows = 0;
  }

  /**
   * Appends the bodies `from` to `to` (exclusive) of two columns, where each begins in `bytes` and how long it is, and returns how many
   * were appended: fewer where a bound is reached, and then the rest waits until the projection was cleared. A body that has no room
   * even alone is `TOO_LARGE`.
   */
  add(bytes: Uint8Array, starts: Float64Array, lengths: Uint32Array, from: number, to: number): number {
    const row = this.#rows;
    let count = this.#fill(bytes, starts, lengths, from, Math.min(to, from + this.#bounds.rowsMax - row));
    // One column may have taken the room that another needed for its first row.
    if (count === 0 && row === 0 && to > from) count = this.#fill(bytes, starts, lengths, from, from + 1);
    if (count === 0 && row === 0 && to > from)
      throw new NiobeError('TOO_LARGE', `one row exceeds the ${this.#bounds.bytesMax} bytes of a projection`);
    this.#rows = row + count;
    return count;
  }

  /** Fills every column with as many rows as all have room for; what some have beyond is overwritten next time. */
  #fill(bytes: Uint8Array, starts: Float64Array, lengths: Uint32Array, from: number, to: number): number {
    const row = this.#rows;
    let roomBytes = this.#bounds.bytesMax;
    for (const column of this.columns) roomBytes -= column.usedBytes(row);
    let count = to - from;
    for (const column of this.columns) {
      count = column.fill(bytes, starts, lengths, from, from + count, row, roomBytes);
      roomBytes -= column.usedBytes(row + count) - column.usedBytes(row);
    }
    return count;
  }
}
