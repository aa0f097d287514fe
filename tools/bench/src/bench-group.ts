import type { Measure } from './measure.ts';

export interface BenchOptions {
  /** Rounds asked for, or null for the group's own number. */
  readonly rounds: number | null;
  /** Numbers of cells asked for, or null for the group's own; groups without cells pass over it. */
  readonly cells: readonly number[] | null;
}

/** One group of measures that share a set-up. */
export interface BenchGroup {
  /** One line for the help text. */
  readonly summary: string;
  run(options: BenchOptions): Promise<readonly Measure[]>;
}
