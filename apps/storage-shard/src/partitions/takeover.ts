import { isNiobeError, NiobeError, type Clock, type Logger } from '@niobe/kernel';
import type { SchemaTable } from '@niobe/cells';
import type { Bus, PartitionRow, PartitionTable } from '@niobe/grid';
import { recoverPartition, type LogShipper, type PartitionRecovery } from '@niobe/replication';
import { keepTrying, type Patience } from '@niobe/service';
import { PartitionStore, type Arena, type PartitionStoreOptions } from '@niobe/store';
import { RECOVERIES_AT_ONCE } from '../limits.ts';
import type { Seats } from './seats.ts';

/**
 * How a shard takes the partitions that the table gives to it.
 *
 * 1. The row's epoch is raised by compare-and-set. If a backup server promised more, the epoch goes above that.
 * 2. The log is recovered from the copies, which fences whoever had the partition before. What is damaged in every copy is not served
 *    and said; the others are.
 * 3. The store is built, a new head opened, and the copies are made like the log while the partition is served already: nothing is
 *    acknowledged as durable before they are.
 *
 * Some partitions at a time. What is away (NATS, backup servers) is waited for; the waiting is visible.
 */

/** A backup server is waited for this long while the other copy could be used alone... */
const FIRST_PATIENCE_MS = 10_000;
/** ... and this long once it was found away. */
const LATER_PATIENCE_MS = 250;

/** A claim is repeated this often against higher promises before the start gives up. */
const CLAIMS_MAX = 16;

/** What a {@link Takeover} works with. */
export interface TakeoverParts {
  readonly name: string;
  readonly incarnation: string;
  readonly deployment: string;
  readonly backups: readonly string[];
  readonly bus: Bus;
  readonly table: PartitionTable;
  readonly schemas: SchemaTable;
  readonly shipper: LogShipper;
  readonly arena: Arena;
  readonly seats: Seats;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly patience: Patience;
  /** A backup server kept the catalogue before this start: what it does not hold as complete was never served. */
  readonly isCatalogueKept: boolean;
}

/** Takes partitions; see the head of this file. */
export class Takeover {
  readonly #parts: TakeoverParts;
  readonly #taken: PartitionRow[] = [];
  #patienceMs = FIRST_PATIENCE_MS;
  #wanted = 0;
  #done = 0;
  #recoveredBytes = 0;

  constructor(parts: TakeoverParts) {
    this.#parts = parts;
  }

  /** Takes all partitions whose row names this shard. Rejects with what no waiting can help. */
  async takeAll(): Promise<void> {
    const { table, name, seats, clock, logger } = this.#parts;
    const startMs = clock.monotonicMs();
    const queue = table.rowsOf(name).map((row) => row.partition);
    this.#wanted = queue.length;
    for (const partition of queue) seats.recovering(partition);
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.#take(next);
    };
    this.#say();
    await Promise.all(Array.from({ length: RECOVERIES_AT_ONCE }, worker));
    logger.info(
      {
        partitions: seats.count('serving'),
        bytes: this.#recoveredBytes,
        ms: Math.round(clock.monotonicMs() - startMs),
      },
      'partitions are recovered',
    );
  }

  /** Tells the clients that the taken partitions are served. */
  async activateAll(): Promise<void> {
    for (const row of this.#taken) await this.#activate(row);
  }

  async #take(partition: number): Promise<void> {
    try {
      const { row, recovery } = await this.#recover(partition);
      this.#serve(row, recovery);
      this.#taken.push(row);
    } catch (error) {
      if (!isNiobeError(error, 'PARTITION_DAMAGED')) throw error;
      this.#parts.logger.error({ partition, ...placeOf(error) }, `${error.message}: this partition is not served`);
      this.#parts.seats.damaged(partition, error);
    }
    this.#done += 1;
    this.#say();
  }

  /** A claim whose epoch no backup server refuses, and what the copies hold. */
  async #recover(partition: number): Promise<{ row: PartitionRow; recovery: PartitionRecovery }> {
    const { table, name, incarnation } = this.#parts;
    const before = await this.#try('the partition table', () => table.refresh(partition));
    let floorEpoch = 0;
    for (let claims = 0; claims < CLAIMS_MAX; claims++) {
      const claim = (): Promise<PartitionRow> => table.claim(partition, name, incarnation, floorEpoch);
      const row = await this.#try('the partition table', claim);
      try {
        return { row, recovery: await this.#read(row, before) };
      } catch (error) {
        if (!isNiobeError(error, 'FENCED')) throw error;
        floorEpoch = Number(error.details['promisedEpoch'] ?? row.epoch) + 1;
        await this.#yieldToNewer(row);
      }
    }
    throw new NiobeError(
      'FENCED',
      `partition ${partition} was taken by others ${CLAIMS_MAX} times: does another ${name} run?`,
    );
  }

  /** A promise beyond a row that is still ours is left over from a table that was lost or rolled back. Otherwise another process is newer. */
  async #yieldToNewer({ partition, incarnation }: PartitionRow): Promise<void> {
    const { table, name } = this.#parts;
    const present = await this.#try('the partition table', () => table.refresh(partition));
    if (present?.incarnation === incarnation) return;
    throw new NiobeError(
      'FENCED',
      `partition ${partition} was taken by ${name}@${present?.incarnation}: another ${name} has started`,
    );
  }

  async #read({ partition, epoch }: PartitionRow, before: PartitionRow | null): Promise<PartitionRecovery> {
    const { bus, deployment, backups, clock, logger } = this.#parts;
    const recovery = await this.#try('the backup servers', () =>
      recoverPartition({
        bus,
        deployment,
        backups,
        partition,
        epoch,
        owner: this.#owner,
        clock,
        logger,
        patienceMs: this.#patienceMs,
        mayBeNew: this.#mayBeNew(before),
      }),
    );
    if (recovery.unreachable.length > 0) this.#patienceMs = LATER_PATIENCE_MS;
    return recovery;
  }

  /**
   * Whether the partition may never have been served. A row at epoch 0 was never claimed. One that is claimed and not active was left
   * so by a start that failed, the first or a later one: where a backup server has been here from the beginning, its copy decides.
   */
  #mayBeNew(before: PartitionRow | null): boolean {
    if (before === null || before.epoch === 0) return true;
    return before.phase === 'UNASSIGNED' && this.#parts.isCatalogueKept;
  }

  #serve(row: PartitionRow, recovery: PartitionRecovery): void {
    const { shipper, arena, schemas, clock, seats } = this.#parts;
    const { partition, epoch } = row;
    const log = shipper.open(recovery.shipped);
    const options = { partition, epoch, arena, schemas, clock, firstSegment: recovery.firstSegment, events: log };
    const store = recoverStore(options, recovery);
    shipper.attach(log, store);
    seats.serving({ partition, attempt: { epoch, owner: this.#owner }, store });
    for (const { bytes } of recovery.segments) this.#recoveredBytes += bytes.length;
  }

  async #activate(row: PartitionRow): Promise<void> {
    const { table, seats, logger } = this.#parts;
    try {
      await this.#try('the partition table', () => table.activate(row));
    } catch (error) {
      if (!isNiobeError(error, 'FENCED')) throw error;
      if (seats.fence(row.partition)) logger.error({ partition: row.partition }, error.message);
    }
  }

  get #owner(): string {
    return `${this.#parts.name}@${this.#parts.incarnation}`;
  }

  #try<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const starting = (why: string): void => this.#say(why);
    return keepTrying({ ...this.#parts.patience, starting }, what, attempt);
  }

  #say(why = ''): void {
    const progress = `recovered ${this.#done} of ${this.#wanted} partitions`;
    this.#parts.patience.starting(why === '' ? progress : `${progress}; ${why}`);
  }
}

function recoverStore(options: PartitionStoreOptions, { segments }: PartitionRecovery): PartitionStore {
  try {
    return PartitionStore.recover(options, segments);
  } catch (error) {
    if (!isNiobeError(error, 'STORE_FULL')) throw error;
    const message = `what the backup servers hold does not fit in ${options.arena.capacityBytes} bytes: raise NIOBE_STORE_BYTES`;
    throw new NiobeError('BAD_CONFIG', message, {}, error);
  }
}

function placeOf({ details }: NiobeError): { segment?: number; offset?: number } {
  const { segment, offset } = details;
  return typeof segment === 'number' && typeof offset === 'number' ? { segment, offset } : {};
}
