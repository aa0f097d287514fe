import type { HotRow } from './hot-row.ts';
import { atLeast } from './plan.ts';

/** New cells in random order of their keys, a commit for each 256: log, slot, index and CRC. */
export const PUTS: readonly HotRow[] = [
  {
    measure: 'put, 64 B, commit per 256',
    unit: 'puts/s',
    ours: 'recordPut',
    peer: 'c-table',
    theirs: 'record_insert',
    against: 'C table, record insert',
    goal: atLeast(0.1),
    goalFromCells: 1_000_000,
  },
];
