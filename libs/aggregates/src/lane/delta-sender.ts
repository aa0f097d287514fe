import { SectionBuilder, type PreparedSection } from '@niobe/grid';
import { NiobeError } from '@niobe/kernel';
import type { CellGrid, SectionAnswer } from './cell-grid.ts';
import type { Derivation, DerivationKind } from './derivation.ts';
import type { LaneCursors } from './lane-cursors.ts';
import { ATTEMPT_DEADLINE_MS, type Persistence } from './persistent-send.ts';

/**
 * Sends the deltas of a run of offsets: one atomic batch per grid partition with the sources of all the lane's derivations, each going
 * on from the cursor that the grid partition keeps. Answers move the cursors:
 *
 * - taken: the cursor is at `to`.
 * - `OFFSET_MISMATCH`: the cursor is where the grid partition says. At `to` it was our own batch, whose answer got lost. Elsewhere
 *   another process wrote: the lane goes on from there. Where the derivations of the lane no longer stand together, or a cursor went
 *   back because a cube is counted anew, the lanes must be planned anew; that is thrown.
 * - `PARTITION_DAMAGED`: the grid partition is left behind, the others go on; if the rules say so.
 * - anything else is tried again, mended if the rules know how. That is harmless: the cursor decides whether the batch is in.
 */

/** Appends the operations of a grid partition. */
export type WriteOps = (section: SectionBuilder) => void;

/** A section on its way, those that are to follow it in the same grid partition, and the offset to which the last brings the cursor. */
export interface PreparedDeltas {
  readonly section: PreparedSection;
  readonly rest: readonly PreparedSection[];
  readonly to: number;
}

/** What is done about answers that no repetition makes better; see {@link DerivationKind}. */
export type SendRules = Pick<DerivationKind<Derivation>, 'leavesDamaged' | 'mend'>;

export class DeltaSender {
  readonly #grid: CellGrid;
  readonly #persistence: Persistence;
  readonly #rules: SendRules;
  readonly #sources: readonly string[];
  readonly #cursors: LaneCursors;
  readonly #section = new SectionBuilder();

  /** @param sources names of the sources of the lane's derivations, for one Kafka partition and stage. */
  constructor(
    grid: CellGrid,
    persistence: Persistence,
    rules: SendRules,
    sources: readonly string[],
    cursors: LaneCursors,
  ) {
    this.#grid = grid;
    this.#persistence = persistence;
    this.#rules = rules;
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
    return { section: section.finish(), rest: [], to };
  }

  /** Ends when every section was taken or settled. Throws `OFFSET_MISMATCH` when the lane must be planned anew, `CLOSED`. */
  async send(deltas: readonly PreparedDeltas[]): Promise<void> {
    let open = deltas;
    if (open.length === 0) return;
    await this.#persistence.until(async () => {
      let reason: NiobeError | null = null;
      while (open.length > 0 && reason === null) ({ open, reason } = await this.#round(open));
      return reason;
    });
  }

  /** Sends once. Returns what is left, and why the same must be sent again, if it must. */
  async #round(open: readonly PreparedDeltas[]): Promise<Round> {
    const sections = open.map(({ section }) => section);
    const answers = await this.#grid.write(sections, ATTEMPT_DEADLINE_MS);
    const left: PreparedDeltas[] = [];
    let reason: NiobeError | null = null;
    open.forEach((deltas, index) => {
      const next = this.#settle(deltas, answers[index]!);
      if (next === null) return;
      left.push(next);
      if (next === deltas) reason ??= answers[index]!.refusal;
    });
    return { open: left, reason };
  }

  /** What is to be sent next for a grid partition: null when nothing more is to be done, the same when it must be tried again. */
  #settle(deltas: PreparedDeltas, answer: SectionAnswer): PreparedDeltas | null {
    const { section, rest, to } = deltas;
    const { refusal, presentOffsets } = answer;
    if (refusal === null) return this.#taken(deltas);
    if (refusal.code === 'PARTITION_DAMAGED' && this.#rules.leavesDamaged) {
      this.#cursors.leave(section.partition);
      return null;
    }
    if (refusal.code === 'OFFSET_MISMATCH' && presentOffsets.length === this.#sources.length) {
      this.#correct(section.partition, presentOffsets, to);
      return null;
    }
    const mended = this.#rules.mend?.(section, refusal, answer.opIndex) ?? null;
    return mended === null ? deltas : { section: mended[0], rest: [...mended.slice(1), ...rest], to };
  }

  #taken({ section, rest, to }: PreparedDeltas): PreparedDeltas | null {
    const [next, ...others] = rest;
    if (next !== undefined) return { section: next, rest: others, to };
    this.#cursors.accept(section.partition, to);
    return null;
  }

  #correct(partition: number, presentOffsets: readonly number[], to: number): void {
    const present = presentOffsets[0]!;
    const wentBack = present < this.#cursors.applied[partition]!;
    if (wentBack || presentOffsets.some((offset) => offset !== present)) throw this.#apart(partition);
    this.#cursors.correct(partition, present, to);
  }

  #apart(partition: number): NiobeError {
    return new NiobeError(
      'OFFSET_MISMATCH',
      `the cursors of ${this.#sources.join(', ')} in grid partition ${partition} are not where they were left: another process wrote or removed some of them`,
    );
  }
}

/** What a round leaves. */
interface Round {
  readonly open: readonly PreparedDeltas[];
  readonly reason: NiobeError | null;
}
