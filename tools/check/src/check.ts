import type { Verdict } from './verdict.ts';

/** What every check is given. */
export interface CheckOptions {
  readonly seed: number;
  /** Rows of the data to take, `Infinity` for all. */
  readonly limit: number;
  /** Repetitions asked for, or null for the check's own number. */
  readonly runs: number | null;
  /** Length asked for, or null for the check's own, where the check has one. */
  readonly minutes: number | null;
  /** Leave the scratch folder. */
  readonly keep: boolean;
  readonly repositoryDir: string;
}

/** One acceptance check. */
export interface Check {
  /** One line for the help text. */
  readonly summary: string;
  run(verdict: Verdict, options: CheckOptions): Promise<void>;
}
