import { isNiobeError, type Clock, type Counter, type Meter, type Random } from '@niobe/kernel';
import type { Bus } from '../bus.ts';
import type { PartitionTable } from '../partition-table.ts';
import { shardSubject } from '../subjects.ts';
import { ShardLink } from './shard-link.ts';

/** What a {@link ShardRouter} needs. */
export interface ShardRouterOptions {
  readonly bus: Bus;
  readonly table: PartitionTable;
  readonly clock: Clock;
  readonly random: Random;
  readonly deployment: string;
  readonly meter: Meter;
}

/** Who serves a partition now. */
export interface Route {
  readonly link: ShardLink;
  readonly epoch: number;
}

/** Finds the way to the shard of a partition by the partition table. */
export class ShardRouter {
  readonly clock: Clock;
  readonly random: Random;
  readonly partitions: number;
  /** Tells this client's request ids from those of others. */
  readonly client: number;
  readonly requests: Counter;
  readonly retries: Counter;
  readonly #bus: Bus;
  readonly #table: PartitionTable;
  readonly #deployment: string;
  readonly #links = new Map<string, ShardLink>();

  constructor(options: ShardRouterOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.partitions = options.table.partitions;
    this.client = options.random.u32();
    this.requests = options.meter.counter('grid_requests_total', 'Frames sent to shards.');
    this.retries = options.meter.counter(
      'grid_retries_total',
      'Rounds of frames sent again after a refusal or a missing answer.',
    );
    this.#bus = options.bus;
    this.#table = options.table;
    this.#deployment = options.deployment;
    options.meter.gauge('grid_waiting_bytes', 'Bytes of frames that wait for the window of their shard.', () =>
      this.#sum('waitingBytes'),
    );
    options.meter.gauge('grid_in_flight_bytes', 'Bytes of frames under way to shards.', () =>
      this.#sum('inFlightBytes'),
    );
  }

  /** The shard that serves a partition, or null where nobody does at present. */
  route(partition: number): Route | null {
    const row = this.#table.row(partition);
    if (row === null || row.phase !== 'ACTIVE') return null;
    return { link: this.#link(row.primary), epoch: row.epoch };
  }

  /** Reads rows anew after `NOT_PRIMARY`; what cannot be read now is left to the watch. */
  async refresh(partitions: ReadonlySet<number>): Promise<void> {
    await Promise.all([...partitions].map((partition) => this.#refresh(partition)));
  }

  async #refresh(partition: number): Promise<void> {
    try {
      await this.#table.refresh(partition);
    } catch (error) {
      if (!isNiobeError(error)) throw error;
    }
  }

  #link(shard: string): ShardLink {
    let link = this.#links.get(shard);
    if (link === undefined) {
      link = new ShardLink(this.#bus, shardSubject(this.#deployment, shard), this.clock);
      this.#links.set(shard, link);
    }
    return link;
  }

  #sum(what: 'waitingBytes' | 'inFlightBytes'): number {
    let sum = 0;
    for (const link of this.#links.values()) sum += link[what];
    return sum;
  }
}
