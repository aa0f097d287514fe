import type { Clause, CompiledSchema } from '@niobe/cells';
import type { PreparedSection } from '@niobe/grid';
import type { NiobeError } from '@niobe/kernel';

/**
 * What lanes and questions need of the grid, addressed by grid partition: cursors and deduplication cells live in partitions that their keys
 * alone would not choose. `GridCells` is this door on a grid client.
 */

/** What became of a section: one atomic batch for one grid partition. */
export interface SectionAnswer {
  /** Null: it is in and durable. Else nothing of it is in, or, for `UNKNOWN` and `DEADLINE`, nobody knows. */
  readonly refusal: NiobeError | null;
  /** With `OFFSET_MISMATCH`: the present offset of each source, in order. */
  readonly presentOffsets: readonly number[];
  /** The operation at fault, or -1. */
  readonly opIndex: number;
}

/** `applied[source]` of one grid partition. */
export interface CursorRow {
  /** Null: nothing of this source was ever applied, which counts as 0. */
  readonly offset: number | null;
  /** Highest event time below the offset in Unix ms; null: none yet. */
  readonly watermarkMs: number | null;
}

/** A cell as a scan gives it: ranges of `bytes`, valid during the call. */
export type VisitCell = (bytes: Uint8Array, keyAt: number, keyBytes: number, bodyAt: number, bodyBytes: number) => void;

export interface CellGrid {
  /** Grid partitions, a power of two. */
  readonly partitions: number;
  /** One answer per section, in order; written with acknowledgement `durable`. Never rejects. */
  write(sections: readonly PreparedSection[], deadlineMs: number): Promise<SectionAnswer[]>;
  /** By grid partition, then by source. Throws a `NiobeError`. */
  cursors(sources: readonly string[], deadlineMs: number): Promise<CursorRow[][]>;
  /** Visits the cells of a schema that meet all clauses, in one grid partition or in all (null). Throws a `NiobeError`. */
  scan(
    schema: CompiledSchema,
    clauses: readonly Clause[],
    partition: number | null,
    deadlineMs: number,
    visit: VisitCell,
  ): Promise<void>;
  /** The bodies of cells of one schema by key, null where there is none. Throws a `NiobeError`. */
  getMany(schema: CompiledSchema, keys: readonly string[], deadlineMs: number): Promise<(Uint8Array | null)[]>;
}
