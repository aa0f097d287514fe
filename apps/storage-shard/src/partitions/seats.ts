import { NiobeError } from '@niobe/kernel';
import type { Attempt } from '@niobe/replication';
import type { PartitionStore } from '@niobe/store';
import { AWAY_RETRY_MS } from '../limits.ts';

/** A partition that is served. */
export interface ServedPartition {
  readonly partition: number;
  readonly attempt: Attempt;
  readonly store: PartitionStore;
}

/**
 * What this shard has of a partition: nothing (another shard's), a recovery under way, cells that are served, a log that is damaged
 * in every copy, or an attempt that a newer owner ended.
 */
type Seat =
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'recovering' }
  | { readonly kind: 'serving'; readonly served: ServedPartition }
  | { readonly kind: 'damaged'; readonly error: NiobeError }
  | { readonly kind: 'fenced' };

const ELSEWHERE: Seat = { kind: 'elsewhere' };

/** The partitions of this shard, by number. */
export class Seats {
  readonly #seats: Seat[];

  constructor(partitions: number) {
    this.#seats = Array.from({ length: partitions }, () => ELSEWHERE);
  }

  recovering(partition: number): void {
    this.#seats[partition] = { kind: 'recovering' };
  }

  serving(served: ServedPartition): void {
    this.#seats[served.partition] = { kind: 'serving', served };
  }

  damaged(partition: number, error: NiobeError): void {
    this.#seats[partition] = { kind: 'damaged', error };
  }

  /** The attempt in which the partition is served here; null where it is not. */
  attempt(partition: number): Attempt | null {
    const seat = this.#seats[partition];
    return seat?.kind === 'serving' ? seat.served.attempt : null;
  }

  /** The partition is not served any more, for the life of this process. True if that is news. */
  fence(partition: number): boolean {
    const kind = this.#seats[partition]?.kind;
    if (kind !== 'serving') return false;
    this.#seats[partition] = { kind: 'fenced' };
    return true;
  }

  count(kind: Seat['kind']): number {
    return this.#seats.filter((seat) => seat.kind === kind).length;
  }

  *stores(): Iterable<PartitionStore> {
    for (const seat of this.#seats) if (seat.kind === 'serving') yield seat.served.store;
  }

  /**
   * The partition for a request that names `epoch` (0 = whatever). Throws `NOT_PRIMARY`, `NOT_READY` or `PARTITION_DAMAGED`.
   */
  serve(partition: number, epoch: number): ServedPartition {
    const seat = this.#seats[partition];
    if (seat?.kind !== 'serving') throw refusal(seat ?? ELSEWHERE, partition);
    const mine = seat.served.attempt.epoch;
    if (epoch === 0 || epoch === mine) return seat.served;
    throw new NiobeError('NOT_PRIMARY', `partition ${partition} is served here at epoch ${mine}, not ${epoch}`);
  }
}

function refusal(seat: Seat, partition: number): NiobeError {
  if (seat.kind === 'damaged') return seat.error;
  if (seat.kind === 'recovering') {
    const message = `partition ${partition} is being recovered`;
    return new NiobeError('NOT_READY', message, { retryAfterMs: AWAY_RETRY_MS });
  }
  return new NiobeError('NOT_PRIMARY', `partition ${partition} is not served by this process`);
}
