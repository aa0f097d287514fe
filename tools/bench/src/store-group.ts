/**
 * The figures of the cell store, each of a file in `store/`. A measure is a group of its own, `store/<name>`: so each is run alone, and
 * prints its rows as soon as it has them.
 */
import type { BenchGroup } from './bench-group.ts';
import { hotPaths } from './store/hot-paths.ts';
import { lmdb } from './store/lmdb.ts';
import { snapshots } from './store/snapshot.ts';
import { fields } from './store/fields.ts';
import { overwrite } from './store/overwrite.ts';
import { probe } from './store/probe.ts';
import { recovery } from './store/recovery.ts';
import { sortedIndex } from './store/sorted-index.ts';

/** The groups of the store by their names on the command line. */
export const STORE_GROUPS: Readonly<Record<string, BenchGroup>> = {
  'store/hot-paths': hotPaths,
  'store/lmdb': lmdb,
  'store/snapshot': snapshots,
  'store/fields': fields,
  'store/overwrite': overwrite,
  'store/probe': probe,
  'store/recovery': recovery,
  'store/sorted-index': sortedIndex,
};
