import {
  every,
  messageOf,
  NiobeError,
  randomHex,
  until,
  type Clock,
  type Logger,
  type Meter,
  type Random,
  type Timer,
} from '@niobe/kernel';
import { SchemaTable, type SchemaDeclaration } from '@niobe/cells';
import {
  CURSOR_SCHEMA_ID,
  FrameKind,
  PartitionTable,
  SchemaCatalogue,
  shardSubject,
  type Bus,
  type PartitionRow,
  type SharedMaps,
  type Subscription,
} from '@niobe/grid';
import type { EdgeType } from '@niobe/graph';
import { BackupClient, LogShipper, type Attempt } from '@niobe/replication';
import { keepTrying, type Patience, type Readiness, type Routes, type RunningService } from '@niobe/service';
import { Arena } from '@niobe/store';
import { TraversalEngine } from '@niobe/traversal';
import { findFacts } from './bootstrap/system-facts.ts';
import { WritableSchemas } from './bootstrap/writable-schemas.ts';
import { Cleaning } from './cleaning.ts';
import { AppliedSources } from './handlers/applied-sources.ts';
import { explainRoutes } from './handlers/explain-route.ts';
import { GetHandler } from './handlers/get.ts';
import { EdgeEnds } from './handlers/link-ends.ts';
import { Links } from './handlers/link.ts';
import { MemoryHandler } from './handlers/memory.ts';
import { memoryRoutes } from './handlers/memory-route.ts';
import { ScanHandler } from './handlers/scan.ts';
import { WriteHandler } from './handlers/write.ts';
import { IndexBuilding } from './index-building.ts';
import { ARENA_TOUCHED_BYTES_MAX, CLEANER_IDLE_MS } from './limits.ts';
import { Seats } from './partitions/seats.ts';
import { Takeover } from './partitions/takeover.ts';
import { RequestDesk, type ArrivedRequest } from './requests/request-desk.ts';
import { RequestMemory } from './requests/request-memory.ts';
import { gaugeGraph, gaugeShard, shardCounters, type ShardCounters } from './shard-meter.ts';
import { ShardCells } from './traversal/shard-cells.ts';

/**
 * A storage shard: owns partitions and serves them over the bus.
 *
 * Start: which system is this (bootstrap), take the partitions that the table gives to this name (partitions), answer requests
 * (requests, handlers), and only then tell the clients to come. Everything runs in one thread; requests, scans and the cleaner take
 * turns in slices.
 */

/** Which shard this is. */
export interface ShardConfig {
  /** Its name in the grid, such as `shard-0`. */
  readonly name: string;
  readonly deployment: string;
  /** The shards among which a new system's partitions are divided. */
  readonly shards: readonly string[];
  readonly partitions: number;
  /** Names of the backup servers; a write is durable when all of them have it. */
  readonly backups: readonly string[];
  /** Memory for cells. */
  readonly storeBytes: number;
  /** Schemas of the application's own cells. */
  readonly cells?: readonly SchemaDeclaration[];
  /** Edge types between them. */
  readonly edges?: readonly EdgeType[];
}

/** What a shard works with. */
export interface ShardParts {
  readonly bus: Bus;
  readonly maps: SharedMaps;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Told how far the start is. */
  readonly starting?: (progress: string) => void;
  /** Ends a start that waits. */
  readonly stopping?: AbortSignal;
}

/** A shard that serves. */
export interface RunningShard extends RunningService {
  readonly routes: Routes;
  /** Ends at once, as a kill would: what the backup servers do not have is lost. */
  close(): void;
}

/** Bytes of an incarnation: what tells this process from an earlier one of the same name. */
const INCARNATION_BYTES = 8;

/** Time for requests that were taken, and again for shipping what they wrote, when the shard is asked to end. */
const DRAIN_MS = 3_000;

/**
 * Starts a shard; resolves when it serves. `INCOMPATIBLE` if it does not fit the system that is recorded, `BAD_CONFIG` if its memory
 * is too small for what it has to recover, `FENCED` if another process of its name has started.
 */
export async function startShard(config: ShardConfig, parts: ShardParts): Promise<RunningShard> {
  const patience: Patience = {
    clock: parts.clock,
    logger: parts.logger,
    starting: parts.starting ?? ((): void => undefined),
    stopping: parts.stopping ?? new AbortController().signal,
  };
  const ground = await layGround(config, parts, patience);
  const shard = new StorageShard(config, parts, ground, patience);
  try {
    await shard.start();
  } catch (error) {
    shard.close();
    throw error;
  }
  return shard;
}

/** What must be known before partitions are taken. */
interface Ground {
  readonly schemas: SchemaTable;
  readonly catalogue: SchemaCatalogue;
  readonly table: PartitionTable;
  readonly writable: WritableSchemas;
  readonly isCatalogueKept: boolean;
}

async function layGround(config: ShardConfig, parts: ShardParts, patience: Patience): Promise<Ground> {
  const { bus, maps, clock, logger, random } = parts;
  const { deployment, partitions, shards } = config;
  const backups = config.backups.map((name) => new BackupClient(bus, deployment, name));
  const schemas = new SchemaTable();
  const catalogue = await keepTrying(patience, 'the schema catalogue', () =>
    SchemaCatalogue.open({ maps, schemas, logger }),
  );
  const untilAnswered = <T>(backup: BackupClient, ask: () => Promise<T>): Promise<T> =>
    keepTrying(patience, backup.name, ask);
  const options = { maps, catalogue, backups, partitions, shards, random, logger, untilAnswered };
  const { facts, isCatalogueKept } = await keepTrying(patience, 'the facts of the system', () => findFacts(options));
  const table = await keepTrying(patience, 'the partition table', () =>
    PartitionTable.open({ maps, partitions, logger }),
  );
  await keepTrying(patience, 'the partition table', () => table.ensureRows(shards));
  await catalogue.caughtUp;
  const declared = [...(config.cells ?? []), ...(config.edges ?? []).flatMap((edge) => edge.schemas)];
  await keepTrying(patience, 'the schemas', () => catalogue.ensure(declared));
  const writable = new WritableSchemas({ facts, table: schemas, catalogue, backups, clock, logger });
  await writable.tell();
  return { schemas, catalogue, table, writable, isCatalogueKept };
}

class StorageShard implements RunningShard {
  readonly #config: ShardConfig;
  readonly #parts: ShardParts;
  readonly #ground: Ground;
  readonly #incarnation: string;
  readonly #seats: Seats;
  readonly #shipper: LogShipper;
  readonly #takeover: Takeover;
  readonly #counters: ShardCounters;
  readonly #edgeEnds = new EdgeEnds();
  readonly #gets: GetHandler;
  readonly #writes: WriteHandler;
  readonly #scans: ScanHandler;
  readonly #memory: MemoryHandler;
  readonly routes: Routes;
  readonly #traversal: TraversalEngine;
  readonly #cleaning: Cleaning;
  readonly #indexBuilding: IndexBuilding;
  readonly #desk: RequestDesk;
  readonly #timers: Timer[] = [];
  #subscription: Subscription | null = null;
  #isDraining = false;
  /** Who took a partition from this process, once somebody did. */
  #fencedBy = '';

  constructor(config: ShardConfig, parts: ShardParts, ground: Ground, patience: Patience) {
    const { bus, clock, logger, meter } = parts;
    const { name, deployment, backups, partitions } = config;
    this.#config = config;
    this.#parts = parts;
    this.#ground = ground;
    this.#incarnation = randomHex(parts.random, INCARNATION_BYTES);
    this.#seats = new Seats(partitions);
    this.#shipper = new LogShipper({
      bus,
      deployment,
      backups,
      owner: `${name}@${this.#incarnation}`,
      clock,
      logger,
      meter,
      onFenced: (partition, promised) => this.#onPromised(partition, promised),
    });
    const arena = new Arena({ bytes: config.storeBytes });
    // A small arena takes its pages from the system now: the log will fill it anyway, and memory that is missing shows at the start.
    if (config.storeBytes <= ARENA_TOUCHED_BYTES_MAX) arena.bytes.fill(0);
    this.#takeover = new Takeover({
      name,
      incarnation: this.#incarnation,
      deployment,
      backups,
      bus,
      table: ground.table,
      schemas: ground.schemas,
      isCatalogueKept: ground.isCatalogueKept,
      shipper: this.#shipper,
      arena,
      seats: this.#seats,
      clock,
      logger,
      patience,
    });
    this.#counters = shardCounters(meter);
    this.#cleaning = new Cleaning(arena, () => this.#seats.stores(), clock, this.#counters);
    this.#indexBuilding = new IndexBuilding(() => this.#seats.stores(), clock);
    const { gets, writes, scans } = this.#handlers();
    this.#gets = gets;
    this.#writes = writes;
    this.#scans = scans;
    this.#desk = new RequestDesk(
      clock,
      (request) => this.#execute(request),
      () => this.#betweenSlices(),
    );
    const wake = (): void => this.#desk.wake();
    this.#memory = new MemoryHandler({ arena, seats: this.#seats, schemas: ground.schemas, clock, wake });
    this.routes = async (app) => {
      await memoryRoutes(this.#memory)(app);
      await explainRoutes({ schemas: ground.schemas, stores: () => this.#seats.stores() })(app);
    };
    this.#traversal = this.#traversalEngine();
    gaugeGraph(meter, config.edges ?? [], { seats: this.#seats, schemas: ground.schemas, ends: this.#edgeEnds });
    gaugeShard(meter, { arena, seats: this.#seats, desk: this.#desk, unanswered: () => writes.unanswered });
  }

  #handlers(): { gets: GetHandler; writes: WriteHandler; scans: ScanHandler } {
    const { schemas, writable } = this.#ground;
    const { partitions } = this.#config;
    const { keysRead, operationsWritten, rowsScanned, commitSeconds, durableWaitSeconds } = this.#counters;
    const { edgeEndsAdded: endsAdded, linksWithoutVertex: withoutVertex } = this.#counters;
    const shared = { seats: this.#seats, durability: this.#shipper, clock: this.#parts.clock };
    return {
      gets: new GetHandler({ ...shared, operations: keysRead }),
      writes: new WriteHandler({
        ...shared,
        partitions,
        schemas: writable,
        sources: new AppliedSources(schemas.get(CURSOR_SCHEMA_ID)!),
        links: new Links({ partitions, ends: this.#edgeEnds, endsAdded, withoutVertex }),
        memory: new RequestMemory(),
        operations: operationsWritten,
        commitSeconds,
        durableWaitSeconds,
      }),
      scans: new ScanHandler({ ...shared, schemas, operations: rowsScanned }),
    };
  }

  #traversalEngine(): TraversalEngine {
    const { bus, clock, logger, meter } = this.#parts;
    const { deployment, name } = this.#config;
    const cells = new ShardCells(this.#ground.schemas, this.#seats, this.#shipper);
    return new TraversalEngine({ bus, deployment, name, cells, clock, logger, meter, wake: () => this.#desk.wake() });
  }

  /** Takes the partitions, listens, and tells the clients. */
  async start(): Promise<void> {
    const { bus, clock, logger } = this.#parts;
    const { name, deployment } = this.#config;
    this.#timers.push(this.#ground.table.onChange((row) => this.#onRow(row)));
    await this.#takeover.takeAll();
    this.#subscription = bus.subscribe(shardSubject(deployment, name), (message) => this.#desk.arrive(message));
    this.#traversal.start();
    this.#timers.push(every(clock, CLEANER_IDLE_MS, () => this.#desk.wake()));
    await this.#takeover.activateAll();
    logger.info({ name, incarnation: this.#incarnation, partitions: this.#seats.count('serving') }, 'the shard serves');
  }

  readiness(): Readiness {
    if (this.#isDraining) return { ready: false, reason: 'draining' };
    if (this.#parts.bus.status() !== 'connected') return { ready: false, reason: 'NATS is away' };
    if (this.#fencedBy !== '')
      return { ready: false, reason: `partitions were taken by ${this.#fencedBy}: end this process` };
    return { ready: true, reason: this.#shortcomings().join('; ') };
  }

  /** What a shard that serves does without. */
  #shortcomings(): string[] {
    const reasons: string[] = [];
    const damaged = this.#seats.count('damaged');
    if (damaged > 0) reasons.push(`${damaged} partitions are damaged in every copy and not served`);
    for (const { backup, isUp, partitions, reason } of this.#shipper.status())
      if (!isUp && partitions > 0) reasons.push(`durable writes wait for ${backup} (${reason})`);
    return reasons;
  }

  async drain(): Promise<void> {
    const { clock, logger } = this.#parts;
    this.#isDraining = true;
    this.#desk.close();
    const isIdle = (): boolean =>
      this.#desk.waiting + this.#writes.unanswered + this.#scans.waiting + this.#memory.waiting === 0;
    try {
      await until(clock, isIdle, DRAIN_MS, 'answering what was taken');
      await this.#shipper.drain(DRAIN_MS);
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'ending with work left; nothing that was acknowledged depends on it');
    }
    this.close();
  }

  close(): void {
    this.#subscription?.close();
    this.#traversal.close();
    this.#memory.close();
    for (const timer of this.#timers) timer.cancel();
    this.#shipper.close();
    this.#ground.writable.close();
    this.#ground.table.close();
    this.#ground.catalogue.close();
  }

  #execute(request: ArrivedRequest): void {
    switch (request.message.payload[1]) {
      case FrameKind.GET:
        this.#counters.gets.add(1);
        return this.#gets.handle(request);
      case FrameKind.WRITE:
        this.#counters.writes.add(1);
        return this.#writes.handle(request);
      case FrameKind.SCAN:
        this.#counters.scans.add(1);
        return this.#scans.handle(request);
      case FrameKind.MEMORY:
        return this.#memory.handle(request);
      default:
        throw new NiobeError('MALFORMED', 'a request of a kind that is not known');
    }
  }

  #betweenSlices(): boolean {
    const hasScans = this.#scans.slice();
    const hasSearches = this.#traversal.slice();
    const hasReports = this.#memory.slice();
    const isBuilding = this.#indexBuilding.slice();
    return this.#cleaning.slice() || hasScans || hasSearches || hasReports || isBuilding;
  }

  /** A backup server promised the partition to another attempt. */
  #onPromised(partition: number, promised: Attempt | null): void {
    this.#fence(partition, promised?.owner ?? 'nobody');
  }

  /** The table names a newer owner: the backup servers would say so at the next write. */
  #onRow(row: PartitionRow): void {
    const attempt = this.#seats.attempt(row.partition);
    if (attempt === null || row.epoch <= attempt.epoch || row.incarnation === this.#incarnation) return;
    this.#fence(row.partition, `${row.primary}@${row.incarnation}`);
  }

  #fence(partition: number, owner: string): void {
    if (!this.#seats.fence(partition)) return;
    this.#fencedBy = owner;
    this.#shipper.remove(partition);
    this.#parts.logger.error(
      { partition, owner },
      `partition ${partition} now belongs to ${owner}: it is not served here any more`,
    );
    // Another process of the same name listens on the same subject: this one would answer in its place.
    if (!owner.startsWith(`${this.#config.name}@`)) return;
    this.#subscription?.close();
    this.#traversal.close();
  }
}
