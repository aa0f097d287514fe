import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventCatalogue, MemoryEventLog, readDeployment, RecordReader, type Deployment } from '@niobe/events';
import { systemClock, until } from '@niobe/kernel';
import { LogSink } from './log-sink.ts';
import { REPOSITORY } from './options.ts';
import type { ReplayEvent } from './row-mapper.ts';

const LIMIT_MS = 5_000;

const purchase = (id: string, quantity: number): ReplayEvent => ({
  id,
  source: 'test',
  type: 'purchase',
  time: '2011-01-01T00:00:00.000Z',
  data: { product: `p${id}`, quantity, price: '1.5', country: 'c' },
});

describe('LogSink', () => {
  let deployment: Deployment;
  let log: MemoryEventLog;
  let sink: LogSink;

  beforeEach(async () => {
    deployment = await readDeployment(join(REPOSITORY, 'infra/deployments/retail'));
    log = new MemoryEventLog({ clock: systemClock, sendDeadlineMs: 50 });
    sink = await LogSink.open(log, deployment, systemClock);
  });
  afterEach(() => sink.close());

  /** Ids of the events that a consumer reads from the topic, waiting for so many. */
  const idsInLog = async (count: number): Promise<string[]> => {
    const topic = deployment.topics[0]!;
    const reader = new RecordReader(new EventCatalogue(deployment), topic);
    const event = reader.newEvent();
    const ids: string[] = [];
    const consumer = log.consumer({
      group: 'test',
      topic: topic.name,
      gatherMs: 0,
      maxBatchBytes: 1_000_000,
      onAssigned: (partitions) => partitions.forEach((partition) => consumer.seek(partition, 0)),
      onRevoked: () => undefined,
      onFailed: (_, error) => expect(error).toBeNull(),
      onBatch: async (batch) => {
        batch.offsets.forEach((_, index) => {
          reader.read(batch, index, event);
          ids.push(event.id);
        });
      },
    });
    await until(systemClock, () => ids.length === count, LIMIT_MS, `${count} events`);
    await consumer.close();
    return ids.sort((a, b) => a.localeCompare(b));
  };

  it('writes records that the aggregator reads as the same events', async () => {
    expect(await sink.post([purchase('1', 2), purchase('2', -1)])).toEqual([]);
    expect(await idsInLog(2)).toEqual(['1', '2']);
  });

  it('reports what is no valid event and writes the rest', async () => {
    const rejected = await sink.post([purchase('1', 1), purchase('2', 1.5), purchase('3', 1)]);
    expect(rejected).toEqual([
      { index: 1, code: 'SCHEMA_VIOLATION', path: 'data.quantity', detail: expect.stringContaining('quantity') },
    ]);
    expect(await idsInLog(2)).toEqual(['1', '3']);
  });

  it('waits while the log is away and then goes on', async () => {
    log.stop();
    const posting = sink.post([purchase('1', 1)]);
    await until(systemClock, () => sink.trouble !== '', LIMIT_MS, 'the trouble');
    log.start();
    expect(await posting).toEqual([]);
    expect(sink.trouble).toBe('');
    await idsInLog(1);
  });

  it('gives up what waits when it is closed', async () => {
    log.stop();
    const posting = sink.post([purchase('1', 1)]);
    await until(systemClock, () => sink.trouble !== '', LIMIT_MS, 'the trouble');
    await Promise.all([expect(posting).rejects.toMatchObject({ code: 'CLOSED' }), sink.close()]);
  });
});
