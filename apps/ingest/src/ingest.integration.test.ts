import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { KafkaEventLog } from '@niobe/kafka';
import { silentLogger, systemClock, until } from '@niobe/kernel';
import { describeWithLocalKafka, freePort, startKafka, type KafkaServer } from '@niobe/testing';

const repository = join(import.meta.dirname, '../../..');
const TYPE = { 'content-type': 'application/json' };

describeWithLocalKafka('the ingest process', () => {
  let dataDir: string;
  let kafka: KafkaServer;
  let ingest: ChildProcess;
  let url: string;
  let output = '';

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'niobe-ingest-'));
    kafka = await startKafka({ dataDir });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    ingest = spawn(process.execPath, ['--conditions=@niobe/source', join(import.meta.dirname, 'main.ts')], {
      env: {
        NIOBE_HTTP_PORT: String(port),
        NIOBE_ROLES: 'collector',
        NIOBE_DEPLOYMENT: join(repository, 'infra/deployments/retail'),
        NIOBE_KAFKA_BROKERS: kafka.bootstrap,
      },
    });
    ingest.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
    ingest.stderr!.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until(systemClock, isReady, 60_000, 'the service to be ready');
  }, 120_000);

  afterAll(async () => {
    ingest?.kill('SIGKILL');
    await kafka?.kill();
    await rm(dataDir, { recursive: true, force: true });
  }, 60_000);

  const isReady = async (): Promise<boolean> =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );

  function post(id: string): Promise<number> {
    const data = { product: '85123A', quantity: 6, price: '2.55', country: 'France' };
    const body = JSON.stringify({ id, type: 'purchase', time: '2010-12-01T08:26:00Z', data });
    return fetch(`${url}/v1/events`, { method: 'POST', headers: TYPE, body }).then(({ status }) => status);
  }

  /** Ids in the topic, in no order. */
  async function idsInTopic(): Promise<Set<string>> {
    const log = new KafkaEventLog({
      brokers: [kafka.bootstrap],
      clientId: 'test',
      clock: systemClock,
      logger: silentLogger,
    });
    const ends = (await log.offsets('retail-events')).map(({ latest }) => latest);
    const ids = new Set<string>();
    const reached = new Map<number, number>();
    const consumer = log.consumer({
      group: 'test',
      topic: 'retail-events',
      gatherMs: 0,
      maxBatchBytes: 1_048_576,
      onAssigned: (partitions) => partitions.forEach((partition) => consumer.seek(partition, 0)),
      onRevoked: () => undefined,
      onFailed: () => undefined,
      onBatch: async (batch) => {
        for (const { ce_id: id } of batch.headers) ids.add(new TextDecoder().decode(id));
        reached.set(batch.partition, batch.to);
      },
    });
    const isThrough = (): boolean => ends.every((end, partition) => (reached.get(partition) ?? 0) >= end);
    await until(systemClock, isThrough, 60_000, 'the end of the topic');
    await log.close();
    return ids;
  }

  it('has in Kafka whatever it acknowledged, though Kafka is killed and restarted meanwhile', async () => {
    const acknowledged: string[] = [];
    const statuses = new Set<number>();
    let next = 0;
    let stop = false;
    const client = async (): Promise<void> => {
      while (!stop) {
        const id = `event-${next++}`;
        const status = await post(id);
        statuses.add(status);
        if (status === 202) acknowledged.push(id);
      }
    };
    const clients = Array.from({ length: 20 }, client);
    await until(systemClock, () => acknowledged.length > 500, 30_000, '500 events');
    await kafka.kill();
    await until(systemClock, async () => !(await isReady()), 30_000, 'the service to say that it is not ready');
    const { port, controllerPort } = kafka;
    kafka = await startKafka({ dataDir, port, controllerPort });
    const before = acknowledged.length;
    await until(systemClock, () => acknowledged.length > before + 500, 60_000, '500 events more');
    await until(systemClock, isReady, 30_000, 'the service to be ready again');
    stop = true;
    await Promise.all(clients);
    expect([...statuses].every((status) => status === 202 || status === 503)).toBe(true);
    const present = await idsInTopic();
    expect(acknowledged.filter((id) => !present.has(id))).toEqual([]);
  }, 180_000);

  it('ends on SIGTERM after what it took', async () => {
    kafka.pause();
    const pending = Promise.all(Array.from({ length: 50 }, (_, index) => post(`last-${index}`)));
    await until(systemClock, async () => (await gauge('niobe_ingest_queue_bytes')) > 10_000, 10_000, 'events to wait');
    const exited = once(ingest, 'exit');
    ingest.kill('SIGTERM');
    kafka.resume();
    const [code] = (await exited) as [number];
    expect(code).toBe(0);
    const statuses = await pending;
    const taken = statuses.flatMap((status, index) => (status === 202 ? [`last-${index}`] : []));
    expect(taken.length).toBeGreaterThan(0);
    const present = await idsInTopic();
    expect(taken.filter((id) => !present.has(id))).toEqual([]);
    expect(output).not.toContain('85123A');
  }, 60_000);

  async function gauge(name: string): Promise<number> {
    const page = await fetch(`${url}/metrics`).then((response) => response.text());
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(page)?.[1] ?? 0);
  }
});
