import { closeSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { startAnalytics } from '@niobe/app-analytics';
import { startBackup } from '@niobe/app-backup';
import { startIngest, type IngestConfig } from '@niobe/app-ingest';
import { startShard } from '@niobe/app-storage-shard';
import { startTraversal } from '@niobe/app-traversal';
import { MemoryEventLog } from '@niobe/events';
import { compileEdgeTypes } from '@niobe/graph';
import { MemoryNetwork, MemorySharedMaps } from '@niobe/grid';
import { NiobeError, randomHex, systemClock, systemRandom, withDeadline, type Logger } from '@niobe/kernel';
import { MemoryBackupStore } from '@niobe/replication';
import { pinoLogger, type RunningService } from '@niobe/service';
import { ClickGenerator, CollectorClient } from '@niobe/tool-clickgen';
import { EmbeddedService, type EmbeddedParts } from './embedded-service.ts';
import { localFolders, makeLogFolder, shownPath } from './local-folders.ts';
import { commandUrls, httpUrl, wantsClicks, type LocalSystem, type SystemStart } from './local-system.ts';
import { openLog } from './log-file.ts';
import type { ObservedService } from './observer.ts';
import { portPlan, refuseTakenPorts, serviceNeeds, type PortNeed, type PortPlan } from './ports.ts';

/**
 * Every service in this one process, on in-memory twins of NATS, Kafka and the backups' disks, behind the same HTTP ports as real ones.
 * All data ends with the process.
 */

/** Two shards and what two backups hold of them share one process: a tenth of what real ones have. */
const SHARD_BYTES = 128 * 1024 * 1024;
const STOP_LIMIT_MS = 5_000;
const RUN_ID_BYTES = 8;

export async function startEmbeddedSystem(start: SystemStart): Promise<LocalSystem> {
  const { options, deployment, view } = start;
  const plan = portPlan(options.portBase, deployment);
  await refuseTakenPorts(serviceNeeds(plan), start.clock);
  const system = new EmbeddedSystem(start, plan);
  view.step('starting embedded: one process, data in memory only');
  try {
    await system.start();
  } catch (error) {
    await system.stop();
    throw error;
  }
  return {
    title: `deployment ${deployment.name}, embedded in one process (pid ${process.pid}); data is in memory only and ends with it`,
    urls: commandUrls(plan, null),
    services: system.observed(),
    notes: [`log ${shownPath(system.logFile)}`],
    stop: () => system.stop(),
  };
}

class EmbeddedSystem {
  readonly logFile: string;
  readonly #start: SystemStart;
  readonly #plan: PortPlan;
  readonly #log: number;
  readonly #network = new MemoryNetwork({ clock: systemClock });
  readonly #maps = new MemorySharedMaps(systemClock);
  readonly #eventLog = new MemoryEventLog({ clock: systemClock });
  readonly #services: { readonly service: EmbeddedService; readonly need: PortNeed }[] = [];
  readonly #stopping = new AbortController();
  #clicks: { readonly generator: ClickGenerator; readonly running: Promise<void> } | null = null;

  constructor(start: SystemStart, plan: PortPlan) {
    const folders = localFolders(start.deployment.name);
    makeLogFolder(folders);
    this.logFile = join(folders.logs, 'embedded.log');
    this.#log = openLog(this.logFile);
    this.#start = start;
    this.#plan = plan;
    start.stopping.addEventListener('abort', () => this.#stopping.abort(), { once: true });
  }

  /** In the order in which they need each other. */
  async start(): Promise<void> {
    const { backups, shards, analytics, loader, traversal, ingest } = this.#plan;
    await Promise.all(backups.map((need) => this.#run('backup', need, (parts) => this.#backup(need.name, parts))));
    await Promise.all(shards.map((need) => this.#run('storage-shard', need, (parts) => this.#shard(need.name, parts))));
    await this.#run('analytics', { name: 'analytics', port: analytics }, (parts) => this.#analytics(parts));
    if (loader !== null) await this.#run('ingest', { name: 'loader', port: loader }, (parts) => this.#loader(parts));
    await this.#run('traversal', { name: 'traversal', port: traversal }, (parts) => this.#traversal(parts));
    await this.#run('ingest', { name: 'ingest', port: ingest }, (parts) => this.#collector(parts));
    if (wantsClicks(this.#start)) this.#startClicks();
  }

  /** What an observer looks at. Memory is that of the process, shown once. */
  observed(): ObservedService[] {
    return this.#services.map(({ need }, index) => ({
      name: need.name,
      url: httpUrl(need.port),
      http: true,
      trouble: () => '',
      memoryBytes: () => (index === 0 ? process.memoryUsage.rss() : null),
    }));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#clicks?.generator.stop();
    await this.#clicks?.running;
    for (const { service } of this.#services.toReversed()) {
      await withDeadline(systemClock, service.stop(), STOP_LIMIT_MS, `stopping ${service.name}`).catch(() => undefined);
      this.#start.view.step(`  ${service.name} stopped`);
    }
    await this.#eventLog.close();
    await this.#maps.close();
    closeSync(this.#log);
  }

  async #run(kind: string, need: PortNeed, start: (parts: EmbeddedParts) => Promise<RunningService>): Promise<void> {
    const stopping = this.#stopping.signal;
    if (stopping.aborted) throw new NiobeError('CLOSED', 'stopped while starting');
    const service = await EmbeddedService.start({ ...need, kind, logger: this.#logger(need.name), stopping, start });
    this.#services.push({ service, need });
    this.#start.view.step(`  ${need.name} ready: ${httpUrl(need.port)}`);
  }

  #logger(name: string): Logger {
    return pinoLogger(name, 'info', { write: (line) => void writeSync(this.#log, line) });
  }

  #backup(name: string, parts: EmbeddedParts): Promise<RunningService> {
    const onFailure = (error: Error): void => {
      queueMicrotask(() => {
        throw error;
      });
    };
    const backupStore = new MemoryBackupStore();
    const config = { name, deployment: this.#start.deployment.name };
    return startBackup(config, { ...parts, bus: this.#network.connect(), backupStore, onFailure });
  }

  #shard(name: string, parts: EmbeddedParts): Promise<RunningService> {
    const { deployment } = this.#start;
    const { shards, partitions, cells } = deployment;
    const backups = this.#plan.backups.map((backup) => backup.name);
    const edges = compileEdgeTypes(deployment.edges, cells);
    const stored = { shards, partitions, backups, storeBytes: SHARD_BYTES, cells, edges };
    const config = { name, deployment: deployment.name, ...stored };
    return startShard(config, { ...parts, bus: this.#network.connect(), maps: this.#maps });
  }

  #analytics(parts: EmbeddedParts): Promise<RunningService> {
    const config = { deployment: this.#start.deployment, rebuild: this.#start.options.rebuildCubes };
    const bus = this.#network.connect();
    return startAnalytics(config, { ...parts, bus, maps: this.#maps, eventLog: this.#eventLog });
  }

  #traversal(parts: EmbeddedParts): Promise<RunningService> {
    return startTraversal(this.#start.deployment, { ...parts, bus: this.#network.connect(), maps: this.#maps });
  }

  #loader(parts: EmbeddedParts): Promise<RunningService> {
    const config: IngestConfig = { deployment: this.#start.deployment, roles: ['loader'] };
    const grid = { bus: this.#network.connect(), maps: this.#maps };
    return startIngest(config, { ...parts, eventLog: this.#eventLog, grid });
  }

  #collector(parts: EmbeddedParts): Promise<RunningService> {
    const config: IngestConfig = { deployment: this.#start.deployment, roles: ['collector'] };
    return startIngest(config, { ...parts, eventLog: this.#eventLog, grid: null });
  }

  #startClicks(): void {
    const logger = this.#logger('clickgen');
    const generator = new ClickGenerator({
      seed: systemRandom().u32(),
      run: randomHex(systemRandom(), RUN_ID_BYTES),
      ratePerSecond: this.#start.options.clicksPerSecond,
      target: new CollectorClient({ url: httpUrl(this.#plan.ingest), clock: systemClock }),
      clock: systemClock,
    });
    const running = generator.run().catch((error: unknown) => logger.error({ error: String(error) }, 'no more clicks'));
    this.#clicks = { generator, running };
  }
}
