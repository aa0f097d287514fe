import type { HotRow } from './hot-row.ts';
import { atLeast } from './plan.ts';

/** Random existing cells, one after the other; of each the first field is read where it lies. */
export const GETS: readonly HotRow[] = [
  {
    measure: 'get by id, 64 B',
    unit: 'gets/s',
    ours: 'recordGetById',
    peer: 'c-table',
    theirs: 'record_get',
    against: 'C table, record get',
    goal: atLeast(0.4),
    goalFromCells: 1_000_000,
  },
  {
    measure: 'get by id, two i32',
    unit: 'gets/s',
    ours: 'textGetById',
    peer: 'node-map',
    theirs: 'number_get',
    against: 'Map of objects, integer keys',
    goal: atLeast(1.5),
    goalFromCells: 1_000_000,
  },
  {
    measure: 'get by text key, 64 B',
    unit: 'gets/s',
    ours: 'recordGetByKey',
    peer: 'c-table',
    theirs: 'record_get',
    against: 'C table, record get',
    goal: atLeast(0.25),
    goalFromCells: 1_000_000,
  },
  {
    measure: 'get by text key, two i32',
    unit: 'gets/s',
    ours: 'textGetByKey',
    peer: 'node-map',
    theirs: 'string_get',
    against: 'Map of objects, text keys',
    goal: atLeast(3),
    goalFromCells: 1_000_000,
  },
];
