import type { HotRow } from './hot-row.ts';
import { atLeast } from './plan.ts';

/** Bodies of 1,000 random cells a call, by id, into one buffer. */
export const GET_MANY: readonly HotRow[] = [
  {
    measure: 'getMany of 1,000, 64 B',
    unit: 'gets/s',
    ours: 'recordGetMany',
    peer: 'c-table',
    theirs: 'record_batch',
    against: 'C table, record batch',
    goal: atLeast(0.25),
    goalFromCells: 1_000_000,
  },
];
