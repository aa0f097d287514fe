import type { Goal, Measure } from '../measure.ts';
import { sizeText } from './plan.ts';
import type { Figures } from './program.ts';

/** A figure of a program beside one of a peer, both at every size. */
export interface HotRow {
  readonly measure: string;
  readonly unit: string;
  /** Name of the program's figure. */
  readonly ours: string;
  readonly peer: 'c-table' | 'node-map';
  /** Name of the peer's figure, without its `_<cells>`. */
  readonly theirs: string;
  readonly against: string;
  readonly goal: Goal;
  /** Number of cells from which on the goal is asked for; below it the row shows growth. */
  readonly goalFromCells: number;
}

/** What one round gave at one size. */
export interface HotRound {
  readonly ours: Figures;
  readonly peers: Readonly<Record<HotRow['peer'], Figures>>;
}

/** The row's measure at one size, from the rounds at this size. */
export function measureOf(row: HotRow, cells: number, rounds: readonly HotRound[]): Measure {
  const common = {
    group: 'store/hot-paths',
    measure: `${row.measure}, ${sizeText(cells)}`,
    unit: row.unit,
    against: row.against,
    candidate: rounds.map(({ ours }) => ours[row.ours] ?? Number.NaN),
    reference: rounds.map(({ peers }) => peers[row.peer][`${row.theirs}_${cells}`] ?? Number.NaN),
  };
  return cells < row.goalFromCells ? common : { ...common, goal: row.goal };
}
