import type { RecordBatch } from '@niobe/events';

/**
 * Where the consumption of one assigned partition stands. Two positions move: what was fetched, and what the handler has been given.
 * Between them at most one batch waits, so that the next one is at hand when the handler ends, and memory stays bounded.
 */
export interface PartitionFlow {
  readonly partition: number;
  /** Offset the next fetched batch must begin with; -1 until a `seek`. */
  next: number;
  /** A batch that waits for the one in the handler. */
  waiting: RecordBatch | null;
  /** The application wants nothing for now. */
  paused: boolean;
  /** kafkajs fetches the partition. */
  fetching: boolean;
  /** Counts seeks: what a batch that was handed over before one means for the position is void. */
  turn: number;
  /** Offset that was compared with the log after a batch began elsewhere: a gap there is real. */
  verified: number;
}

/** An assigned partition before its first `seek`. */
export function newFlow(partition: number): PartitionFlow {
  return { partition, next: -1, waiting: null, paused: false, fetching: false, turn: 0, verified: -1 };
}

/** True if kafkajs should fetch the partition. */
export function wantsFetch(flow: PartitionFlow): boolean {
  return flow.next >= 0 && !flow.paused && flow.waiting === null;
}

/** Everything begins anew at `offset`. */
export function moveTo(flow: PartitionFlow, offset: number): void {
  flow.next = offset;
  flow.waiting = null;
  flow.turn += 1;
  flow.verified = -1;
}
