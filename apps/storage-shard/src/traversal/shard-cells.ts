import type { SchemaTable } from '@niobe/cells';
import type { PartitionStore } from '@niobe/store';
import type { SearchedCells } from '@niobe/traversal';
import { durableWaitMs } from '../handlers/deadline.ts';
import { isDurable, presentPoint, type Durability } from '../handlers/durability.ts';
import type { Seats } from '../partitions/seats.ts';

/** What a search sees of this shard: the partitions it serves, and, as every reader, nothing that a crash could take back. */
export class ShardCells implements SearchedCells {
  readonly schemas: SchemaTable;
  readonly #seats: Seats;
  readonly #durability: Durability;

  constructor(schemas: SchemaTable, seats: Seats, durability: Durability) {
    this.schemas = schemas;
    this.#seats = seats;
    this.#durability = durability;
  }

  storeOf(partition: number, epoch: number): PartitionStore {
    return this.#seats.serve(partition, epoch).store;
  }

  async whenDurable(partitions: readonly number[], waitMs: number): Promise<void> {
    const points = partitions.map((partition) => presentPoint(this.#seats.serve(partition, 0)));
    const waiting = points.filter((point) => !isDurable(this.#durability, point));
    const longestMs = durableWaitMs(waitMs);
    await Promise.all(waiting.map(({ partition, seq }) => this.#durability.whenDurable(partition, seq, longestMs)));
  }
}
