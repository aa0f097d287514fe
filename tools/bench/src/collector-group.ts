/**
 * The collector beside its floors: single events beside a bare `node:http` server that answers 202, batches of 100 beside a producer
 * that writes the same records to the same Kafka with no HTTP in front.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { EventProducer } from '@niobe/events';
import { KafkaEventLog } from '@niobe/kafka';
import { silentLogger, systemClock } from '@niobe/kernel';
import { freePort, repositoryDir } from '@niobe/testing';
import { LocalSystem } from '@niobe/tool-check';
import type { BenchGroup } from './bench-group.ts';
import { httpLoad, type LoadResult } from './http-load.ts';
import { interleaved, type Measure } from './measure.ts';

const ROUNDS = 5;
const DURATION_MS = 5_000;
const CONNECTIONS = 1_000;
const BATCH_CONNECTIONS = 16;
const BATCH_EVENTS = 100;
const TOPIC = 'retail-events';

export const collector: BenchGroup = {
  summary: 'the HTTP collector beside bare node:http and beside a Kafka producer alone',
  async run({ rounds }) {
    const deploymentDir = join(repositoryDir, 'infra/deployments/retail');
    const system = await LocalSystem.create({ repositoryDir, deploymentDir });
    const barePort = await freePort();
    let bare: ChildProcess | null = null;
    try {
      await system.kafka.start();
      system.ingest.start();
      await system.ingest.ready();
      bare = await startBare(barePort);
      const singles = await singleEvents(system, barePort, rounds ?? ROUNDS);
      return [...singles, await batches(system, rounds ?? ROUNDS)];
    } finally {
      bare?.kill('SIGKILL');
      await system.destroy();
    }
  },
};

async function startBare(port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-http.ts'), String(port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return child;
}

async function singleEvents(system: LocalSystem, barePort: number, rounds: number): Promise<readonly Measure[]> {
  const loads: Record<'niobe' | 'bare', LoadResult[]> = { niobe: [], bare: [] };
  const load = async (side: 'niobe' | 'bare', port: number): Promise<number> => {
    const result = await httpLoad({ port, connections: CONNECTIONS, durationMs: DURATION_MS, next: nextEvent });
    loads[side].push(result);
    return result.requestsPerSecond;
  };
  await load('niobe', system.ingest.launch.port);
  loads.niobe.length = 0;
  const rates = await interleaved(
    rounds,
    () => load('niobe', system.ingest.launch.port),
    () => load('bare', barePort),
  );
  const of = (key: 'p99Ms' | 'errors'): Pick<Measure, 'candidate' | 'reference'> => ({
    candidate: loads.niobe.map((result) => result[key]),
    reference: loads.bare.map((result) => result[key]),
  });
  const common = { group: 'collector', against: 'bare node:http' };
  return [
    {
      ...common,
      measure: 'single events, 1,000 connections',
      unit: 'requests/s',
      ...rates,
      goal: { sense: 'at least', value: 0.35 },
    },
    { ...common, measure: 'the same, p99', unit: 'ms', ...of('p99Ms'), goal: { sense: 'at most', value: 3 } },
    {
      ...common,
      measure: 'the same, errors',
      unit: 'requests',
      candidate: of('errors').candidate,
      reference: [],
      goal: { sense: 'at most', value: 0 },
    },
  ];
}

let serial = 0;

function eventText(): string {
  serial += 1;
  const data = `{"product":"P${serial % 4_000}","quantity":6,"price":"2.550","country":"United Kingdom"}`;
  return `{"id":"b${serial}","source":"bench","type":"purchase","time":"2011-01-04T10:00:00Z","data":${data}}`;
}

function nextEvent(): { path: string; body: string } {
  return { path: '/v1/events', body: eventText() };
}

function nextBatch(): { path: string; body: string } {
  return { path: '/v1/batch', body: `[${Array.from({ length: BATCH_EVENTS }, eventText).join(',')}]` };
}

async function batches(system: LocalSystem, rounds: number): Promise<Measure> {
  const log = new KafkaEventLog({
    brokers: [system.kafka.address],
    clientId: 'niobe-bench',
    clock: systemClock,
    logger: silentLogger,
  });
  const producer = await log.producer();
  const throughCollector = async (): Promise<number> => {
    const { port } = system.ingest.launch;
    const result = await httpLoad({ port, connections: BATCH_CONNECTIONS, durationMs: DURATION_MS, next: nextBatch });
    return result.requestsPerSecond * BATCH_EVENTS;
  };
  const figures = await interleaved(rounds, throughCollector, () => produceAlone(producer));
  await producer.close();
  await log.close();
  const goal = { sense: 'at least', value: 0.6 } as const;
  return {
    group: 'collector',
    measure: 'batches of 100',
    unit: 'events/s',
    ...figures,
    against: 'Kafka producer alone',
    goal,
  };
}

/** As many sends under way as the load has connections, each of as many records as a batch has events. */
async function produceAlone(producer: EventProducer): Promise<number> {
  const startMs = systemClock.monotonicMs();
  let sent = 0;
  const loop = async (): Promise<void> => {
    while (systemClock.monotonicMs() - startMs < DURATION_MS) {
      await producer.send(TOPIC, Array.from({ length: BATCH_EVENTS }, nextRecord));
      sent += BATCH_EVENTS;
    }
  };
  await Promise.all(Array.from({ length: BATCH_CONNECTIONS }, loop));
  return (sent / (systemClock.monotonicMs() - startMs)) * 1_000;
}

function nextRecord(): { key: string; value: string } {
  serial += 1;
  return { key: `P${serial % 4_000}`, value: eventText() };
}
