import type { SchemaTable } from '@niobe/cells';
import type { PartitionStore } from '@niobe/store';

/** What a search needs of the shard that it runs in. */
export interface SearchedCells {
  readonly schemas: SchemaTable;
  /** The cells of a partition that is served here at `epoch`. Throws `NOT_PRIMARY`, `NOT_READY` or `PARTITION_DAMAGED`. */
  storeOf(partition: number, epoch: number): PartitionStore;
  /** Resolves when all that these partitions hold now is durable. Rejects with `BACKUP_UNAVAILABLE` after `waitMs`. */
  whenDurable(partitions: readonly number[], waitMs: number): Promise<void>;
}
