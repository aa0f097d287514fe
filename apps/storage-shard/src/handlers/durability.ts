import type { LogShipper } from '@niobe/replication';
import type { ServedPartition } from '../partitions/seats.ts';

/** What handlers ask of those who ship the log to the backup servers. */
export type Durability = Pick<LogShipper, 'isOverloaded' | 'durableSeq' | 'whenDurable'>;

/** A point of a partition's log that an answer depends on. */
export interface DurablePoint {
  readonly partition: number;
  readonly seq: number;
}

/** The last commit of a partition: what its state, as it is read now, depends on. */
export function presentPoint({ partition, store }: ServedPartition): DurablePoint {
  return { partition, seq: store.lastCommit().seq };
}

/** True if the backup servers have it. */
export function isDurable(durability: Durability, point: DurablePoint): boolean {
  return point.seq <= durability.durableSeq(point.partition);
}
