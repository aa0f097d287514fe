import { ManualClock, seededRandom, silentLogger, type Logger, type Random } from '@niobe/kernel';
import { MemoryNetwork, type MemoryBus } from '@niobe/grid';
import { BackupServer } from '../src/backup/backup-server.ts';
import { LogShipper } from '../src/primary/log-shipper.ts';
import type { PartitionLog } from '../src/primary/partition-log.ts';
import { recoverPartition, type PartitionRecovery } from '../src/recovery/recover-partition.ts';
import { Cells } from './cells.ts';
import { CrashStore } from './crash-store.ts';

/** Backup servers and a primary in one process, on a network and a clock that the test drives. */

export const DEPLOYMENT = 'test';
export const PARTITION = 5;
export const BACKUPS: readonly string[] = ['backup-0', 'backup-1'];

/** Microtasks that may follow on each other within one millisecond of a test. */
const MICROTASKS = 40;

/** A backup server with its disk, which outlives it. */
export class Backup {
  readonly name: string;
  disk: CrashStore;
  server: BackupServer | null = null;
  readonly #cluster: Cluster;
  #bus: MemoryBus | null = null;

  constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.name = name;
    this.disk = new CrashStore(cluster.clock, cluster.random);
  }

  start(): void {
    const { network, clock, random } = this.#cluster;
    this.#bus = network.connect();
    this.server = new BackupServer({
      bus: this.#bus,
      store: this.disk,
      deployment: DEPLOYMENT,
      name: this.name,
      clock,
      random,
    });
    this.server.start();
  }

  /** What was not synced is lost. */
  kill(): void {
    void this.#bus?.close();
    this.server = null;
    this.disk = this.disk.afterCrash();
  }

  /** The folder is deleted while the server is stopped. */
  empty(): void {
    this.disk = new CrashStore(this.#cluster.clock, this.#cluster.random);
  }
}

/** The owner of the partition, in one attempt. */
export interface Primary {
  readonly epoch: number;
  readonly bus: MemoryBus;
  readonly shipper: LogShipper;
  readonly log: PartitionLog;
  readonly cells: Cells;
  readonly recovery: PartitionRecovery;
}

export interface ClusterOptions {
  readonly seed?: number;
  readonly logger?: Logger;
  readonly patienceMs?: number;
  /** See `CellsOptions.ballast`. */
  readonly ballast?: readonly number[];
}

export class Cluster {
  readonly clock = new ManualClock();
  readonly random: Random;
  readonly network: MemoryNetwork;
  readonly backups: readonly [Backup, Backup];
  readonly #logger: Logger;
  readonly #patienceMs: number;
  readonly #ballast: readonly number[];
  primary: Primary | null = null;
  epoch = 0;
  wasServed = false;

  constructor(options: ClusterOptions = {}) {
    this.random = seededRandom(options.seed ?? 1);
    this.network = new MemoryNetwork({ clock: this.clock, random: this.random });
    this.#logger = options.logger ?? silentLogger;
    this.#patienceMs = options.patienceMs ?? 300;
    this.#ballast = options.ballast ?? [];
    this.backups = [new Backup(this, BACKUPS[0]!), new Backup(this, BACKUPS[1]!)];
  }

  startBackups(): void {
    for (const backup of this.backups) backup.start();
  }

  /** Recovers the partition at the next epoch, as a new incarnation. */
  async startPrimary(): Promise<Primary> {
    this.epoch += 1;
    const epoch = this.epoch;
    const owner = `shard-0@${epoch}`;
    const bus = this.network.connect();
    const shared = { bus, deployment: DEPLOYMENT, backups: BACKUPS, owner, clock: this.clock, logger: this.#logger };
    const recovery = await recoverPartition({
      ...shared,
      partition: PARTITION,
      epoch,
      patienceMs: this.#patienceMs,
      mayBeNew: !this.wasServed,
    });
    const shipper = new LogShipper(shared);
    const log = shipper.open(recovery.shipped);
    const { firstSegment, segments } = recovery;
    const { clock } = this;
    const cells = new Cells(
      { partition: PARTITION, epoch, firstSegment, clock, events: log, ballast: this.#ballast },
      segments,
    );
    shipper.attach(log, cells.store);
    this.primary = { epoch, bus, shipper, log, cells, recovery };
    this.wasServed = true;
    return this.primary;
  }

  killPrimary(): void {
    this.primary?.shipper.close();
    void this.primary?.bus.close();
    this.primary = null;
  }

  /** Lets `ms` milliseconds pass. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed++) {
      this.clock.advance(1);
      for (let i = 0; i < MICROTASKS; i++) await Promise.resolve();
    }
  }

  /** Lets time pass until `promise` settles. */
  async settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => (isSettled = true));
    settled.catch(() => undefined);
    for (let passed = 0; !isSettled && passed < limitMs; passed++) await this.pass(1);
    if (!isSettled) throw new Error(`nothing came of it in ${limitMs} ms`);
    return settled;
  }

  /** Lets time pass until `holds`. */
  async until(holds: () => boolean, what: string, limitMs = 60_000): Promise<void> {
    for (let passed = 0; !holds(); passed++) {
      if (passed > limitMs) throw new Error(`${what} did not happen in ${limitMs} ms`);
      await this.pass(1);
    }
  }
}
