import { SectionBuilder, type PreparedSection } from '@niobe/grid';
import { NiobeError } from '@niobe/kernel';
import type { CellGrid, SectionAnswer } from './cell-grid.ts';
import type { LaneCursors } from './lane-cursors.ts';
import { ATTEMPT_DEADLINE_MS, type Persistence } from './persistent-send.ts';

/**
 * Sends the deltas of a run of offsets: one atomic batch per grid partition with the sources of all the lane's cubes, each going on
 * from the cursor that the grid partition keeps. Answers move the cursors:
 *
 * - taken: the cursor is at `to`.
 * - `OFFSET_MISMATCH`: the cursor is where the grid partition says. At `to` it was our own batch, whose answer got lost. Elsewhere
 *   another aggregator wrote: the lane goes on from there. Where the cubes of the lane no longer stand together, or a cursor went
 *   back because a cube is counted anew, the lanes must be planned anew; that is thrown.
 * - `PARTITION_DAMAGED`: the grid partition is left behind, the others go on.
 * - anything else is tried again, which is harmless: the cursor decides whether the batch is in.
 */

/** Appends the operations of a grid partition. */
export type WriteOps = (section: SectionBuilder) => void;

/** A section on its way, and the offset it brings the cursor to. */
export interface PreparedDeltas {
  readonly section: PreparedSection;
  readonly to: number;
}

export class DeltaSender {
  readonly #grid: CellGrid;
  readonly #persistence: Persistence;
  readonly #sources: readonly string[];
  readonly #cursors: LaneCursors;
  readonly #section = new SectionBuilder();

  /** @param sources names of the lane's cubes' shares of one Kafka partition. */
  constructor(grid: CellGrid, persistence: Persistence, sources: readonly string[], cursors: LaneCursors) {
    this.#grid = grid;
    this.#persistence = persistence;
    this.#sources = sources;
    this.#cursors = cursors;
  }

  /** A section that brings a grid partition to `to`, with what `writeOps` appends. Made at once, so that the folder is free again. */
  prepare(partition: number, to: number, watermarkMs: number, writeOps: WriteOps | null): PreparedDeltas {
    const section = this.#section;
    section.start(partition);
    const stored = watermarkMs > 0 ? watermarkMs : Number.NaN;
    for (const source of this.#sources) section.source(source, this.#cursors.applied[partition]!, to, stored);
    writeOps?.(section);
    return { section: section.finish(), to };
  }

  /** Ends when every section was taken or settled. Throws `OFFSET_MISMATCH` when the lane must be planned anew, `CLOSED`. */
  async send(deltas: readonly PreparedDeltas[]): Promise<void> {
    let pending = deltas;
    if (pending.length === 0) return;
    await this.#persistence.until(async () => {
      const sections = pending.map(({ section }) => section);
      const answers = await this.#grid.write(sections, ATTEMPT_DEADLINE_MS);
      const open = pending.filter(({ section, to }, index) => !this.#settle(section.partition, to, answers[index]!));
      const reason =
        answers.find(({ refusal }, index) => refusal !== null && open.includes(pending[index]!))?.refusal ?? null;
      pending = open;
      return reason;
    });
  }

  /** True when nothing more is to be done about this batch. */
  #settle(partition: number, to: number, { refusal, presentOffsets }: SectionAnswer): boolean {
    if (refusal === null) {
      this.#cursors.accept(partition, to);
      return true;
    }
    if (refusal.code === 'PARTITION_DAMAGED') {
      this.#cursors.leave(partition);
      return true;
    }
    if (refusal.code !== 'OFFSET_MISMATCH' || presentOffsets.length !== this.#sources.length) return false;
    const present = presentOffsets[0]!;
    const wentBack = present < this.#cursors.applied[partition]!;
    if (wentBack || presentOffsets.some((offset) => offset !== present)) throw this.#apart(partition);
    this.#cursors.correct(partition, present, to);
    return true;
  }

  #apart(partition: number): NiobeError {
    return new NiobeError(
      'OFFSET_MISMATCH',
      `the cursors of ${this.#sources.join(', ')} in grid partition ${partition} are not where they were left: another aggregator wrote or removed some of them`,
    );
  }
}
