import type { SchemaTable } from '@niobe/cells';
import type { Clock } from '@niobe/kernel';
import type { Arena } from './arena.ts';
import type { StoreEvents } from './events.ts';

/** What a partition is opened with. */
export interface PartitionStoreOptions {
  readonly partition: number;
  /** Epoch of everything written from now on; at least that of everything recovered. */
  readonly epoch: number;
  readonly arena: Arena;
  /** The schemas cells may have; recovery adds those found in the log. */
  readonly schemas: SchemaTable;
  readonly clock: Clock;
  /** Number of the first segment to open; after a recovery at least one above the highest. */
  readonly firstSegment: number;
  readonly events: StoreEvents;
}

/** (epoch, seq) of a commit. */
export interface CommitVersion {
  readonly epoch: number;
  readonly seq: number;
}
