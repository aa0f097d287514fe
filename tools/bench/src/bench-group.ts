import type { Measure } from './measure.ts';

export interface BenchOptions {
  /** Rounds asked for, or null for the group's own number. */
  readonly rounds: number | null;
}

/** One group of measures that share a set-up. */
export interface BenchGroup {
  /** One line for the help text. */
  readonly summary: string;
  run(options: BenchOptions): Promise<readonly Measure[]>;
}
