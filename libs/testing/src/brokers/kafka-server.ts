import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, NiobeError } from '@niobe/kernel';
import { startBrokerProcess, type BrokerProcess } from './broker-process.ts';
import { brokerSources, type KafkaSource } from './broker-sources.ts';
import { freePorts, isPortFree } from './free-port.ts';
import { kafkaServes } from './kafka-probe.ts';
import { portTaken } from './nats-server.ts';
import { inRepository } from './repository.ts';
import { fillTemplate } from './template.ts';

const READY_TIMEOUT_MS = 120_000;
const FORMAT_TIMEOUT_MS = 60_000;
const CLUSTER_ID_BYTES = 16;

/** Where a Kafka keeps its data and listens. */
export interface KafkaOptions {
  /** Folder for configuration, topics and log; made where missing. The same folder continues what is in it. */
  readonly dataDir: string;
  /** Port for clients on 127.0.0.1; a free one by default. */
  readonly port?: number;
  /** Port of the controller on 127.0.0.1; a free one by default. */
  readonly controllerPort?: number;
}

/** A single Kafka broker that this process started. */
export interface KafkaServer extends BrokerProcess {
  /** `host:port` for clients. */
  readonly bootstrap: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly version: string;
}

type Jars = Extract<KafkaSource, { kind: 'jars' }>;

interface Ports {
  readonly port: number;
  readonly controllerPort: number;
}

/**
 * Starts a single Kafka broker on 127.0.0.1 and waits until it serves metadata.
 * To restart one, stop or kill it and call this again with the same `dataDir` and ports.
 * @throws NiobeError `UNAVAILABLE` if there is no local Kafka, a port is taken, or it does not start.
 */
export async function startKafka(options: KafkaOptions): Promise<KafkaServer> {
  const source = localKafka();
  const ports = await choosePorts(options);
  const folder = resolve(options.dataDir);
  const config = writeConfig(folder, ports);
  await formatOnce(source, folder, config);
  const broker = await startBrokerProcess({
    title: 'Kafka',
    command: source.java,
    args: [...javaOptions(source), 'kafka.Kafka', config],
    logFile: join(folder, 'kafka.log'),
    isReady: () => kafkaServes(ports.port),
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
  return { ...broker, ...ports, bootstrap: `127.0.0.1:${ports.port}`, version: source.version };
}

function localKafka(): Jars {
  const source = brokerSources().kafka;
  if (source.kind === 'jars') return source;
  throw new NiobeError('UNAVAILABLE', `no local Kafka to start: ${source.why}; npm run setup says more`);
}

async function choosePorts(options: KafkaOptions): Promise<Ports> {
  const [first, second] = (await freePorts(2)) as [number, number];
  const ports = { port: options.port ?? first, controllerPort: options.controllerPort ?? second };
  if (!(await isPortFree(ports.port))) throw portTaken(ports.port, 'Kafka');
  if (!(await isPortFree(ports.controllerPort))) throw portTaken(ports.controllerPort, 'the Kafka controller');
  return ports;
}

function writeConfig(folder: string, ports: Ports): string {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'server.properties');
  fillTemplate(inRepository('infra/kafka/local/server.properties'), config, { ...ports, dataDir: dataFolder(folder) });
  return config;
}

/** Gives a new data folder its cluster id. An interrupted format has no `meta.properties` and is done again. */
async function formatOnce(source: Jars, folder: string, config: string): Promise<void> {
  if (existsSync(join(dataFolder(folder), 'meta.properties'))) return;
  const args = ['format', '--ignore-formatted', `--cluster-id=${newClusterId()}`, `--config=${config}`];
  try {
    await promisify(execFile)(source.java, [...javaOptions(source), 'kafka.tools.StorageTool', ...args], {
      timeout: FORMAT_TIMEOUT_MS,
    });
  } catch (error) {
    throw new NiobeError('UNAVAILABLE', `cannot format the Kafka folder ${folder}: ${messageOf(error)}`, {}, error);
  }
}

function dataFolder(folder: string): string {
  return join(folder, 'topics');
}

/** A Kafka id: 16 random bytes, base64url. */
function newClusterId(): string {
  return randomBytes(CLUSTER_ID_BYTES).toString('base64url');
}

/** 512 MB and the serial collector are enough for one broker, and leave a small machine to what is tested. */
function javaOptions(source: Jars): string[] {
  const logging = inRepository('infra/kafka/local/log4j2.properties');
  return ['-Xmx512m', '-XX:+UseSerialGC', `-Dlog4j2.configurationFile=${logging}`, '-cp', join(source.lib, '*')];
}
