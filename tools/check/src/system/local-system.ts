/**
 * A whole Niobe on this machine, for checks: real nats-server, real Kafka and every service as a process of its own, on free ports
 * and in a scratch folder. Everything can be killed and started again; the folder keeps what survives.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDeployment, type Deployment } from '@niobe/events';
import { freePorts, startKafka, startNats } from '@niobe/testing';
import { Broker } from './broker.ts';
import { ServiceProcess, type ServiceLaunch } from './service-process.ts';

export interface LocalSystemOptions {
  readonly repositoryDir: string;
  /** Folder of the deployment. */
  readonly deploymentDir: string;
  readonly storeBytes?: number;
  /** Arguments of `analytics`. */
  readonly analyticsArguments?: readonly string[];
}

const DEFAULT_STORE_BYTES = 1 << 30;
const BACKUPS = ['backup-0', 'backup-1'];

/** Ports of nats-server, Kafka and its controller; those of the services follow. */
const BROKER_PORTS = 3;
/** Services of which there is one: collector, aggregator, loader, searches. */
const SINGLE_SERVICES = 4;

function isBackup(service: ServiceProcess): boolean {
  return service.launch.app === 'backup';
}

export class LocalSystem {
  readonly dir: string;
  readonly nats: Broker;
  readonly kafka: Broker;
  readonly backups: readonly ServiceProcess[];
  readonly shards: readonly ServiceProcess[];
  readonly ingest: ServiceProcess;
  readonly analytics: ServiceProcess;
  /** Started only where the deployment has mappings. */
  readonly loader: ServiceProcess;
  readonly traversal: ServiceProcess;
  readonly #isLoading: boolean;

  private constructor(dir: string, ports: readonly number[], options: LocalSystemOptions, deployment: Deployment) {
    this.dir = dir;
    this.#isLoading = deployment.mappings.length > 0;
    const port = (at: number): number => ports[at] ?? 0;
    this.nats = new Broker('nats', `127.0.0.1:${port(0)}`, () =>
      startNats({ dataDir: join(dir, 'nats'), port: port(0) }),
    );
    this.kafka = new Broker('kafka', `127.0.0.1:${port(1)}`, () =>
      startKafka({ dataDir: join(dir, 'kafka'), port: port(1), controllerPort: port(2) }),
    );
    let next = BROKER_PORTS;
    const launch = (name: string, app: string, more: Partial<ServiceLaunch> = {}): ServiceProcess => {
      const httpPort = port(next++);
      return new ServiceProcess({
        name,
        app,
        port: httpPort,
        repositoryDir: options.repositoryDir,
        logFile: join(dir, `${name}.log`),
        ...more,
        env: {
          NIOBE_NAME: name,
          NIOBE_DEPLOYMENT: options.deploymentDir,
          NIOBE_HTTP_PORT: String(httpPort),
          NIOBE_NATS_URL: `nats://127.0.0.1:${port(0)}`,
          NIOBE_KAFKA_BROKERS: `127.0.0.1:${port(1)}`,
          NIOBE_STORE_BYTES: String(options.storeBytes ?? DEFAULT_STORE_BYTES),
          NIOBE_BACKUPS: BACKUPS.join(','),
          NIOBE_DATA_DIR: join(dir, name),
          ...more.env,
        },
      });
    };
    this.backups = BACKUPS.map((name) => launch(name, 'backup'));
    this.shards = deployment.shards.map((name) => launch(name, 'storage-shard'));
    this.ingest = launch('ingest', 'ingest', { env: { NIOBE_ROLES: 'collector' } });
    this.analytics = launch('analytics', 'analytics', { arguments: options.analyticsArguments ?? [] });
    this.loader = launch('loader', 'ingest', { env: { NIOBE_ROLES: 'loader' } });
    this.traversal = launch('traversal', 'traversal');
  }

  /** A system in a new scratch folder; nothing runs yet. */
  static async create(options: LocalSystemOptions): Promise<LocalSystem> {
    const dir = mkdtempSync(join(tmpdir(), 'niobe-check-'));
    for (const name of ['nats', 'kafka', ...BACKUPS]) mkdirSync(join(dir, name));
    const deployment = await readDeployment(options.deploymentDir);
    const ports = BROKER_PORTS + BACKUPS.length + deployment.shards.length + SINGLE_SERVICES;
    return new LocalSystem(dir, await freePorts(ports), options, deployment);
  }

  /** Services in the order of their start. */
  get services(): readonly ServiceProcess[] {
    const loader = this.#isLoading ? [this.loader] : [];
    return [...this.backups, ...this.shards, this.ingest, this.analytics, ...loader, this.traversal];
  }

  /** Starts the brokers and every service but those left out, and waits until all are ready. */
  async start(leaveOut: readonly ServiceProcess[] = []): Promise<void> {
    await Promise.all([this.nats.start(), this.kafka.start()]);
    const wanted = this.services.filter((service) => !leaveOut.includes(service));
    // Backups first, as any deployment would: a shard that finds both need not wait for one.
    const [backups, others] = [wanted.filter(isBackup), wanted.filter((service) => !isBackup(service))];
    for (const services of [backups, others]) {
      for (const service of services) service.start();
      await Promise.all(services.map((service) => service.ready()));
    }
  }

  /** Kill -9 of every process, the brokers included: what a power loss does to processes. */
  async killAll(): Promise<void> {
    await Promise.all([...this.services.map((service) => service.kill()), this.kafka.kill(), this.nats.kill()]);
  }

  /** Orderly stop of everything, the brokers last. */
  async stop(): Promise<void> {
    for (const service of this.services.toReversed()) await service.stop();
    await this.kafka.stop();
    await this.nats.stop();
  }

  /** Ends what still runs and removes the folder. */
  async destroy(): Promise<void> {
    await this.killAll();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** CPU seconds of every process over all its runs. */
  cpuSeconds(): Record<string, number> {
    const parts = [this.nats, this.kafka, ...this.services];
    return Object.fromEntries(parts.map((part) => [part.name, part.cpuSeconds]));
  }
}
