import { deferred, isNiobeError, NiobeError, type Deferred, type Logger, type Timer } from '@niobe/kernel';
import { EPOCH_MAX, parsePartitionRow, type PartitionRow } from './partition-row.ts';
import { rendezvousShard } from './placement.ts';
import type { MapEntry, SharedMap, SharedMaps, Watch } from './shared-map.ts';

/**
 * The map `partitions`: one row a partition, created by whoever comes first, changed by compare-and-set, followed by watch.
 *
 * 1. The rows of a new system are placed by rendezvous hashing over the shards that the deployment names, and then kept.
 * 2. A shard that takes a partition {@link PartitionTable.claim}s it: the epoch rises, the row is `UNASSIGNED` until the shard has
 *    recovered and {@link PartitionTable.activate}s it.
 * 3. Nobody obeys a row whose epoch went backwards (a restored or rebuilt map): the view keeps the highest epoch it has seen.
 */

const CLAIM_TRIES_MAX = 32;

/** What {@link PartitionTable.open} needs. */
export interface PartitionTableOptions {
  readonly maps: SharedMaps;
  readonly partitions: number;
  readonly logger: Logger;
}

/** This process's view of the table, and the ways to change it. */
export class PartitionTable {
  readonly partitions: number;
  /** Resolves when the rows that were there at the opening are seen. */
  readonly caughtUp: Promise<void>;
  readonly #map: SharedMap<PartitionRow>;
  readonly #rows: (PartitionRow | null)[];
  readonly #listeners = new Set<(row: PartitionRow) => void>();
  readonly #caughtUp: Deferred<void> = deferred<void>();
  readonly #watch: Watch;
  readonly #logger: Logger;

  private constructor(map: SharedMap<PartitionRow>, options: PartitionTableOptions) {
    this.partitions = options.partitions;
    this.caughtUp = this.#caughtUp.promise;
    this.#map = map;
    this.#logger = options.logger;
    this.#rows = Array.from({ length: options.partitions }, () => null);
    this.#watch = map.watch({
      onEntry: (entry) => this.#follow(entry),
      onCaughtUp: () => this.#caughtUp.resolve(),
      onBadRow: (key) => this.#logger.warn({ key }, 'a partition row is not readable and is left out'),
    });
  }

  static async open(options: PartitionTableOptions): Promise<PartitionTable> {
    return new PartitionTable(await options.maps.open('partitions', parsePartitionRow), options);
  }

  /** The row as last seen; null where there is none yet. */
  row(partition: number): PartitionRow | null {
    return this.#rows[partition] ?? null;
  }

  /** The rows whose primary is `shard`, as last seen. */
  rowsOf(shard: string): PartitionRow[] {
    return this.#rows.filter((row) => row !== null && row.primary === shard) as PartitionRow[];
  }

  /** Calls `listener` with each row that changes, until cancelled. */
  onChange(listener: (row: PartitionRow) => void): Timer {
    this.#listeners.add(listener);
    return { cancel: () => void this.#listeners.delete(listener) };
  }

  /** Reads one row from the leader into the view, as after `NOT_PRIMARY`. */
  async refresh(partition: number): Promise<PartitionRow | null> {
    const found = await this.#map.get(String(partition));
    if (found !== null) this.#see(found.value);
    return this.row(partition);
  }

  /**
   * Creates the rows that are missing; losing against another creator is fine. `lastEpoch` is the highest epoch known of a
   * partition (0 for a new system), as the backups tell it when the map was lost.
   */
  async ensureRows(shards: readonly string[], lastEpoch: (partition: number) => number = () => 0): Promise<void> {
    for (let partition = 0; partition < this.partitions; partition++) {
      const found = await this.refresh(partition);
      if (found === null) await this.#createRow(partition, shards, lastEpoch(partition));
    }
  }

  async #createRow(partition: number, shards: readonly string[], epoch: number): Promise<void> {
    const primary = rendezvousShard(partition, shards);
    const row: PartitionRow = { partition, primary, epoch, incarnation: null, phase: 'UNASSIGNED' };
    try {
      await this.#map.create(String(partition), row);
      this.#see(row);
    } catch (error) {
      if (!isNiobeError(error, 'EXISTS')) throw error;
      await this.refresh(partition);
    }
  }

  /**
   * Takes a partition for `incarnation` of `shard`: the epoch becomes one more than the row's and at least `floorEpoch`.
   * `NOT_PRIMARY` if the row names another shard, `NOT_FOUND` if there is none.
   */
  claim(partition: number, shard: string, incarnation: string, floorEpoch = 0): Promise<PartitionRow> {
    return this.#change(partition, (row) => {
      requirePrimary(row, shard);
      const epoch = Math.max(row.epoch + 1, floorEpoch);
      if (epoch > EPOCH_MAX)
        throw new NiobeError('OVERFLOW', `partition ${partition} has used up its ${EPOCH_MAX} epochs`);
      return { ...row, epoch, incarnation, phase: 'UNASSIGNED' };
    });
  }

  /** Tells the clients that the owner of `attempt` serves. `FENCED` if somebody has taken the partition since. */
  activate(attempt: PartitionRow): Promise<PartitionRow> {
    return this.#change(attempt.partition, (row) => {
      if (row.epoch !== attempt.epoch || row.incarnation !== attempt.incarnation)
        throw new NiobeError(
          'FENCED',
          `partition ${row.partition} was taken at epoch ${row.epoch} by ${row.primary}@${row.incarnation}`,
        );
      return { ...row, phase: 'ACTIVE' };
    });
  }

  close(): void {
    this.#watch.close();
    this.#listeners.clear();
    this.#map.close();
  }

  /** Compare-and-set until it holds; what `next` throws ends it. */
  async #change(partition: number, next: (row: PartitionRow) => PartitionRow): Promise<PartitionRow> {
    const key = String(partition);
    for (let tries = 0; tries < CLAIM_TRIES_MAX; tries++) {
      const found = await this.#map.get(key);
      if (found === null) throw new NiobeError('NOT_FOUND', `there is no row for partition ${partition}`);
      const row = next(found.value);
      try {
        await this.#map.update(key, row, found.revision);
        this.#see(row);
        return row;
      } catch (error) {
        if (!isNiobeError(error, 'REVISION_MISMATCH')) throw error;
      }
    }
    throw new NiobeError('BUSY', `the row of partition ${partition} changed ${CLAIM_TRIES_MAX} times under our hands`);
  }

  #follow(entry: MapEntry<PartitionRow>): void {
    if (entry.value !== null) this.#see(entry.value);
    else this.#logger.warn({ key: entry.key }, 'a partition row has gone from the map; its last state is kept');
  }

  #see(row: PartitionRow): void {
    if (row.partition >= this.partitions) return;
    const known = this.row(row.partition);
    if (known !== null && !isNewer(row, known)) return;
    this.#rows[row.partition] = row;
    for (const listener of this.#listeners) listener(row);
  }
}

function requirePrimary(row: PartitionRow, shard: string): void {
  if (row.primary !== shard)
    throw new NiobeError('NOT_PRIMARY', `partition ${row.partition} belongs to ${row.primary}, not to ${shard}`);
}

/** A claim raises the epoch and makes the row `UNASSIGNED`; within an epoch the only step is to `ACTIVE`. */
function isNewer(row: PartitionRow, known: PartitionRow): boolean {
  if (row.epoch !== known.epoch) return row.epoch > known.epoch;
  return row.phase === 'ACTIVE' && known.phase !== 'ACTIVE';
}
