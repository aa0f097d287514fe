import {
  LaneStage,
  type CellGrid,
  type FoldStage,
  type MendedSections,
  type Persistence,
  type PreparedDeltas,
} from '@niobe/aggregates';
import type { PreparedSection } from '@niobe/grid';
import { NiobeError } from '@niobe/kernel';
import { FILE_END } from './file-source.ts';
import { halves } from './halves.ts';
import type { Surrender } from './surrender.ts';

/** A file has no watermark. */
const NO_WATERMARK_MS = 0;

/** What a run has for the grid partitions. */
export type StageOps = Pick<FoldStage, 'opBytes' | 'writeOps'>;

/**
 * One stage of a file's load: its cursor in each grid partition, and the sending of what moves them, as lanes do it. Links that are too
 * much for one batch are halved; a cursor that another process moved ends the load.
 */
export class FileStage {
  readonly #stage: LaneStage;

  /** @param applied the cursors as they are now. */
  constructor(grid: CellGrid, persistence: Persistence, surrender: Surrender, source: string, applied: Float64Array) {
    const mend = (section: PreparedSection, refusal: NiobeError): MendedSections | null => {
      const parts = refusal.code === 'TOO_LARGE' ? halves(section) : null;
      if (parts === null) surrender.consider(refusal);
      return parts;
    };
    const rules = { leavesDamaged: false, mend };
    this.#stage = new LaneStage(grid, persistence, rules, [source], applied);
  }

  /** By grid partition: lines below are in there. */
  get applied(): Float64Array {
    return this.#stage.cursors.applied;
  }

  /** The sections for the grid partitions that have operations and are not at `to` yet. */
  sections(ops: StageOps, to: number): PreparedDeltas[] {
    const opBytes = (partition: number): number => (this.applied[partition]! < to ? ops.opBytes(partition) : 0);
    const writeOps: StageOps['writeOps'] = (partition, section) => ops.writeOps(partition, section);
    return this.#stage.sections({ ops: 1, opBytes, writeOps }, to, NO_WATERMARK_MS);
  }

  /** Ends when all is in and durable. Throws `CLOSED`, and `OFFSET_MISMATCH` where another process loads the same file. */
  async send(sections: readonly PreparedDeltas[]): Promise<void> {
    await this.#stage.send(sections);
    if (this.#stage.cursors.goesBack) throw movedBySomebody();
  }

  /** Says of all grid partitions that the file is in. */
  async finish(): Promise<void> {
    await this.#stage.advance(FILE_END, NO_WATERMARK_MS);
  }
}

function movedBySomebody(): NiobeError {
  return new NiobeError(
    'OFFSET_MISMATCH',
    'another process loads the same file: end one of them, and start the other again',
  );
}
