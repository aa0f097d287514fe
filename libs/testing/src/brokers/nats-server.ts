import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { NiobeError } from '@niobe/kernel';
import { startBrokerProcess, type BrokerProcess } from './broker-process.ts';
import { brokerSources } from './broker-sources.ts';
import { isPortFree, freePort } from './free-port.ts';
import { natsInfo } from './nats-probe.ts';
import { inRepository } from './repository.ts';
import { fillTemplate } from './template.ts';

const READY_TIMEOUT_MS = 60_000;

/** Where a nats-server keeps its data and listens. */
export interface NatsOptions {
  /** Folder for configuration, JetStream data and log; made where missing. The same folder continues what is in it. */
  readonly dataDir: string;
  /** Port on 127.0.0.1; a free one by default. */
  readonly port?: number;
}

/** A nats-server with JetStream that this process started. */
export interface NatsServer extends BrokerProcess {
  readonly url: string;
  readonly port: number;
  readonly version: string;
}

/**
 * Starts a nats-server with JetStream on 127.0.0.1 and waits until it serves.
 * To restart one, stop or kill it and call this again with the same `dataDir` and `port`.
 * @throws NiobeError `UNAVAILABLE` if there is no local nats-server, the port is taken, or it does not start.
 */
export async function startNats(options: NatsOptions): Promise<NatsServer> {
  const source = brokerSources().nats;
  if (source.kind !== 'binary') {
    throw new NiobeError('UNAVAILABLE', `no local nats-server to start: ${source.why}; npm run setup says more`);
  }
  const port = options.port ?? (await freePort());
  if (!(await isPortFree(port))) throw portTaken(port, 'nats-server');
  const folder = resolve(options.dataDir);
  const config = writeConfig(folder, port);
  const broker = await startBrokerProcess({
    title: 'nats-server',
    command: source.command,
    args: ['--config', config],
    logFile: resolve(folder, 'nats.log'),
    isReady: async () => (await natsInfo(port)).jetstream === true,
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
  return { ...broker, url: `nats://127.0.0.1:${port}`, port, version: source.version };
}

/** The error for a port that somebody else listens on. */
export function portTaken(port: number, title: string): NiobeError {
  return new NiobeError(
    'UNAVAILABLE',
    `port ${port} of 127.0.0.1 is taken and ${title} needs it: stop what listens there, or choose another port`,
  );
}

function writeConfig(folder: string, port: number): string {
  mkdirSync(folder, { recursive: true });
  const config = resolve(folder, 'nats.conf');
  fillTemplate(inRepository('infra/nats/local.conf'), config, { port, dataDir: resolve(folder, 'jetstream') });
  return config;
}
