import type { PreparedSection } from '@niobe/grid';
import type { CellGrid } from './cell-grid.ts';
import { DeltaSender, type PreparedDeltas, type SendRules } from './delta-sender.ts';
import type { FoldStage } from './derivation.ts';
import { LaneCursors } from './lane-cursors.ts';
import { ATTEMPT_DEADLINE_MS, type Persistence } from './persistent-send.ts';

/** One stage of a share: its cursors in all grid partitions, and the sending of what moves them. */
export class LaneStage {
  readonly cursors: LaneCursors;
  readonly #grid: CellGrid;
  readonly #persistence: Persistence;
  readonly #sender: DeltaSender;
  #advancedWatermarkMs = 0;

  /**
   * @param sources names of the sources of the lane's derivations.
   * @param applied their cursor in each grid partition.
   */
  constructor(
    grid: CellGrid,
    persistence: Persistence,
    rules: SendRules,
    sources: readonly string[],
    applied: Float64Array,
  ) {
    this.cursors = new LaneCursors(applied);
    this.#grid = grid;
    this.#persistence = persistence;
    this.#sender = new DeltaSender(grid, persistence, rules, sources, this.cursors);
  }

  /** The sections of a run up to `to`, for the grid partitions that have operations. */
  sections(fold: FoldStage, to: number, watermarkMs: number): PreparedDeltas[] {
    const deltas: PreparedDeltas[] = [];
    for (let gridPartition = 0; gridPartition < this.#grid.partitions; gridPartition++) {
      if (fold.opBytes(gridPartition) === 0) continue;
      deltas.push(
        this.#sender.prepare(gridPartition, to, watermarkMs, (section) => fold.writeOps(gridPartition, section)),
      );
    }
    return deltas;
  }

  /** Learns what the operations of a later stage need, as often as it takes. */
  prepare(fold: FoldStage): Promise<void> {
    return this.#persistence.until(async () => {
      await fold.prepare?.(ATTEMPT_DEADLINE_MS);
      return null;
    });
  }

  /** See {@link DeltaSender.send}. */
  send(deltas: readonly PreparedDeltas[]): Promise<void> {
    return this.#sender.send(deltas);
  }

  /** Brings the cursors of all grid partitions to `to`. Returns where to go on; see {@link LaneCursors.finish}. */
  async advance(to: number, watermarkMs: number): Promise<number> {
    const { applied } = this.cursors;
    const sections: PreparedDeltas[] = [];
    for (let gridPartition = 0; gridPartition < applied.length; gridPartition++) {
      const offset = applied[gridPartition]!;
      const isThere = offset > to || (offset === to && watermarkMs === this.#advancedWatermarkMs);
      if (isThere || this.cursors.isLeft(gridPartition)) continue;
      sections.push(this.#sender.prepare(gridPartition, to, watermarkMs, null));
    }
    await this.#sender.send(sections);
    this.#advancedWatermarkMs = watermarkMs;
    return this.cursors.finish(to);
  }

  /** Asks the grid partitions that were left behind; one that is served again takes part from its cursor on. */
  async askLeft(watermarkMs: number): Promise<void> {
    const { applied } = this.cursors;
    const left = Array.from(applied.keys()).filter((gridPartition) => this.cursors.isLeft(gridPartition));
    const asked = left.map(
      (gridPartition): PreparedSection =>
        this.#sender.prepare(gridPartition, applied[gridPartition]!, watermarkMs, null).section,
    );
    const answers = await this.#grid.write(asked, ATTEMPT_DEADLINE_MS);
    left.forEach((gridPartition, index) => {
      if (answers[index]!.refusal === null) this.cursors.rejoin(gridPartition);
    });
  }
}
