import type { HotRow } from './hot-row.ts';
import { atMost } from './plan.ts';

/** Resident memory after the load and a full collection, less that before, of cells of two i32. */
export const BYTES_PER_CELL: readonly HotRow[] = [
  {
    measure: 'resident, text keys',
    unit: 'B/cell',
    ours: 'textBytes',
    peer: 'node-map',
    theirs: 'string_bytes',
    against: 'Map of objects, text keys',
    goal: atMost(0.4),
    goalFromCells: 10_000_000,
  },
  {
    measure: 'resident, integer keys',
    unit: 'B/cell',
    ours: 'integerBytes',
    peer: 'node-map',
    theirs: 'number_bytes',
    against: 'Map of objects, integer keys',
    goal: atMost(0.6),
    goalFromCells: 10_000_000,
  },
];
