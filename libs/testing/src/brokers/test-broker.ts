import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NiobeError } from '@niobe/kernel';
import { brokerSources } from './broker-sources.ts';
import { startKafkaContainer, startNatsContainer } from './broker-container.ts';
import { startKafka } from './kafka-server.ts';
import { startNats } from './nats-server.ts';

/** A broker for one test file, of whatever source this machine offers. */
export interface TestBroker {
  /** URL of a NATS; `host:port`, or several with commas, of a Kafka. */
  readonly address: string;
  /** What it is and where it came from, for the title or the log of the test. */
  readonly description: string;
  /** Ends it and removes its data, unless it was given from outside. */
  stop(): Promise<void>;
}

/** A NATS for one test file: the given one, else a local process, else a container. */
export async function useNats(): Promise<TestBroker> {
  const source = brokerSources().nats;
  if (source.kind === 'given') return outside(source.url, source.why);
  if (source.kind === 'docker') return startNatsContainer();
  if (source.kind === 'none') throw new NiobeError('UNAVAILABLE', source.why);
  return inTemporaryFolder(source.why, async (dataDir) => {
    const server = await startNats({ dataDir });
    return { ...server, address: server.url };
  });
}

/** A Kafka for one test file: the given one, else a local process, else a container. */
export async function useKafka(): Promise<TestBroker> {
  const source = brokerSources().kafka;
  if (source.kind === 'given') return outside(source.brokers.join(','), source.why);
  if (source.kind === 'docker') return startKafkaContainer();
  if (source.kind === 'none') throw new NiobeError('UNAVAILABLE', source.why);
  return inTemporaryFolder(source.why, async (dataDir) => {
    const server = await startKafka({ dataDir });
    return { ...server, address: server.bootstrap };
  });
}

function outside(address: string, description: string): TestBroker {
  return { address, description, stop: () => Promise.resolve() };
}

interface Started {
  readonly address: string;
  kill(): Promise<void>;
}

/** The folder goes with the broker, so there is nothing for an orderly stop to save. */
async function inTemporaryFolder(
  description: string,
  start: (dataDir: string) => Promise<Started>,
): Promise<TestBroker> {
  const dataDir = mkdtempSync(join(tmpdir(), 'niobe-broker-'));
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true });
  try {
    const started = await start(dataDir);
    return { address: started.address, description, stop: () => started.kill().then(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}
