import type { ReadEvent } from '@niobe/events';
import type { PreparedSection, SectionBuilder } from '@niobe/grid';
import type { NiobeError } from '@niobe/kernel';

/**
 * What lanes keep in the grid from the events of topics: the cells of a cube, the vertices and edges of a mapping. Lanes know how to
 * consume, deduplicate, send and go on exactly once; this is all that they need to know of what they send.
 *
 * A derivation has one or more stages. Each has a source of its own for each Kafka partition, so a cursor of its own in each grid
 * partition, and what a stage makes of a run is sent when that of the stage before is in.
 */
export interface Derivation {
  readonly name: string;
  /** Topics of the events it is derived from, each once. */
  readonly topics: readonly string[];
}

/** How lanes deal with one kind of derivation. */
export interface DerivationKind<D extends Derivation> {
  /** True: a grid partition that is damaged in every copy is left behind while the others go on. False: the lane waits for it. */
  readonly leavesDamaged: boolean;
  /** What can be done where the log no longer has what a cursor needs. */
  readonly remedy: string;
  /** Names of the sources of a derivation's share of one Kafka partition, one for each stage. */
  sources(derivation: D, topic: string, partition: number): readonly string[];
  /**
   * What to send in place of a section that the grid refuses, each when the one before is in and the last with the sources' ends; null:
   * the same again. Without it refused sections are always sent again as they are.
   */
  mend?(section: PreparedSection, refusal: NiobeError, opIndex: number): MendedSections | null;
  /**
   * Gives a folder for each share of a lane. Shares may have one folder together where it needs to remember a run no longer than until
   * the operations of its first stage are written, which is in the turn in which the run was folded.
   */
  folders(derivations: readonly D[]): () => EventFolder;
}

/** One section or more. */
export type MendedSections = readonly [PreparedSection, ...PreparedSection[]];

/** Turns the events of one run at a time into operations. */
export interface EventFolder {
  readonly stages: readonly FoldStage[];
  /** The run must be cut before the next event. */
  readonly full: boolean;
  /** Events of the run that a derivation did not take because they had expired. */
  readonly expired: number;
  /**
   * Begins a run.
   * @param done by stage and grid partition: events below are in there already. Must not change while the run is folded.
   */
  begin(done: readonly Float64Array[]): void;
  /**
   * Folds one event, which arrived at `arrivalMs`.
   * @returns why a derivation cannot take it, so that it is a dead letter, or null. Others have taken it.
   */
  fold(event: ReadEvent, offset: number, arrivalMs: number): string | null;
}

/** What a run has for the grid partitions in one stage. */
export interface FoldStage {
  /** Operations of the run. */
  readonly ops: number;
  /** Bytes of a grid partition's operations, a bound from above; 0 if there are none. */
  opBytes(gridPartition: number): number;
  writeOps(gridPartition: number, section: SectionBuilder): void;
  /** Reads from the grid what the operations need, once the stage before is in. Not called for a first stage. Throws a `NiobeError`. */
  prepare?(deadlineMs: number): Promise<void>;
  /** The run's operations are all in. */
  taken?(): void;
}
