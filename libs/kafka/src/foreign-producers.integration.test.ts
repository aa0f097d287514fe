import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { partitionFor, type RecordBatch } from '@niobe/events';
import { deferred, isNiobeError, silentLogger, systemClock, until } from '@niobe/kernel';
import { describeWithKafka, useKafka, type TestBroker } from '@niobe/testing';
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { newClient } from './kafka-client.ts';
import { KafkaEventLog } from './kafka-event-log.ts';

const SPEC = { partitions: 1, retentionMs: 3_600_000, retentionBytes: -1 };

describeWithKafka('records of other producers', () => {
  let broker: TestBroker;
  let log: KafkaEventLog;
  let kafka: Kafka;

  beforeAll(async () => {
    broker = await useKafka();
    const address = { brokers: broker.address.split(','), clientId: 'foreign' };
    log = new KafkaEventLog({ ...address, clock: systemClock, logger: silentLogger });
    kafka = newClient(address, silentLogger);
  }, 120_000);

  afterAll(async () => {
    await log?.close();
    await broker?.stop();
  }, 60_000);

  async function withAdmin(work: (admin: Admin) => Promise<unknown>): Promise<void> {
    const admin = kafka.admin();
    await admin.connect();
    await work(admin);
    await admin.disconnect();
  }

  /** Everything in the topic from `start` on. */
  async function consume(
    topic: string,
    start: number,
    enough: (batches: RecordBatch[]) => boolean,
  ): Promise<RecordBatch[]> {
    const batches: RecordBatch[] = [];
    const consumer = log.consumer({
      group: `group-of-${topic}`,
      topic,
      gatherMs: 5,
      maxBatchBytes: 1_048_576,
      onAssigned: () => consumer.seek(0, start),
      onRevoked: () => undefined,
      onBatch: async (batch) => void batches.push(batch),
      onFailed: (_partition, error) => {
        throw error;
      },
    });
    await until(systemClock, () => enough(batches), 30_000, `records of ${topic}`);
    await consumer.close();
    return batches;
  }

  const values = (batches: RecordBatch[]): string[] => batches.flatMap((batch) => batch.values.map(String));

  it.each(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'])('are read when they are %s', async (type) => {
    const topic = `topic-${type}`;
    const configEntries = [
      { name: 'compression.type', value: type },
      { name: 'message.timestamp.type', value: 'LogAppendTime' },
    ];
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] }));
    const producer = await log.producer();
    const records = Array.from({ length: 2000 }, (_, index) => ({ key: 'k', value: `record ${index}` }));
    await producer.send(topic, records);
    const batches = await consume(topic, 150, (all) => values(all).length >= 1850);
    expect(values(batches)).toEqual(records.slice(150).map(({ value }) => value));
    expect(batches[0]!.from).toBe(150);
  });

  it('may be transactions: what was aborted is not seen, what marks their ends is passed over', async () => {
    await log.ensureTopics([{ ...SPEC, name: 'transactions' }]);
    const producer = kafka.producer({
      transactionalId: 'foreign',
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    for (let i = 0; i < 6; i++) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: 'transactions', messages: [{ key: 'k', value: `${i}` }] });
      if (i % 2 === 0) await transaction.commit();
      else await transaction.abort();
    }
    await producer.disconnect();
    // The marks are written after the answer to the producer.
    const end = async (): Promise<number> => (await log.offsets('transactions'))[0]!.latest;
    await until(systemClock, async () => (await end()) === 12, 30_000, 'six records and six marks');
    const batches = await consume('transactions', 0, (all) => values(all).length >= 3);
    expect(values(batches)).toEqual(['0', '2', '4']);
    expect(batches[0]!.from).toBe(0);
    batches.reduce((next, batch) => {
      expect(batch.from).toBe(next);
      return batch.to;
    }, 0);
  });

  it('may be deleted before they are read, which ends the partition with an error', async () => {
    await log.ensureTopics([{ ...SPEC, name: 'deleted' }]);
    const producer = await log.producer();
    for (let i = 0; i < 10; i++) await producer.send('deleted', [{ key: 'k', value: `${i}` }]);
    await withAdmin(async (admin) => {
      await admin.fetchTopicOffsets('deleted');
      await admin.deleteTopicRecords({ topic: 'deleted', partitions: [{ partition: 0, offset: '6' }] });
    });
    const failed = deferred<Error>();
    const values: string[] = [];
    const consumer = log.consumer({
      group: 'group-of-deleted',
      topic: 'deleted',
      gatherMs: 5,
      maxBatchBytes: 1_048_576,
      onAssigned: () => consumer.seek(0, 3),
      onRevoked: () => undefined,
      onBatch: async (batch) => void values.push(...batch.values.map(String)),
      onFailed: (_partition, error) => failed.resolve(error),
    });
    const error = await failed.promise;
    expect(isNiobeError(error, 'OFFSET_GONE')).toBe(true);
    expect(error.message).toMatch(/topic deleted, partition 0 is at offset 3, but the log has 6 to 10/);
    consumer.seek(0, 6);
    await until(systemClock, () => values.length === 4, 30_000, 'what is left');
    expect(values).toEqual(['6', '7', '8', '9']);
    await consumer.close();
  });

  it('may be compacted: where one is missing for good, the next one follows', async () => {
    const topic = 'compacted';
    const config = {
      'message.timestamp.type': 'LogAppendTime',
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.001',
      'segment.ms': '100',
    };
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] }));
    const producer = await log.producer();
    for (let i = 0; i < 5; i++) await producer.send(topic, [{ key: 'k', value: `${i}` }]);
    const first = async (): Promise<number> => (await consume(topic, 0, (all) => all.length > 0))[0]!.offsets[0]!;
    const isCompacted = async (): Promise<boolean> => {
      await producer.send(topic, [{ key: `${systemClock.nowMs()}`, value: 'next' }]);
      return (await first()) > 0;
    };
    await until(systemClock, isCompacted, 60_000, 'the compaction', 500);
    const batches = await consume(topic, 0, (all) => values(all).length > 1);
    expect(batches[0]!.from).toBe(0);
    expect(values(batches).slice(0, 2)).toEqual(['4', 'next']);
  }, 90_000);

  it('may repeat a header; the first counts', async () => {
    await log.ensureTopics([{ ...SPEC, name: 'repeated' }]);
    const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({
      topic: 'repeated',
      messages: [{ key: 'k', value: 'v', headers: { a: ['1', '2'], b: '3' } }],
    });
    await producer.disconnect();
    const [batch] = await consume('repeated', 0, (all) => all.length > 0);
    expect(Object.entries(batch!.headers[0]!).map(([name, value]) => `${name}=${String(value)}`)).toEqual([
      'a=1',
      'b=3',
    ]);
  });

  it('need a topic that is stamped on arrival', async () => {
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic: 'theirs', numPartitions: 1 }] }));
    const error: unknown = await log.ensureTopics([{ ...SPEC, name: 'theirs' }]).catch((reason: unknown) => reason);
    expect(isNiobeError(error, 'INCOMPATIBLE')).toBe(true);
    expect(String(error)).toContain('LogAppendTime');
  });

  it('go to the partition that we would choose', () => {
    const choose = kafkajs.Partitioners.DefaultPartitioner();
    const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({ partitionId, leader: 0 }));
    for (let i = 0; i < 500; i++) {
      const key = `${i}-${'ä'.repeat(i % 9)}`;
      const theirs = choose({ topic: 't', partitionMetadata, message: { key, value: null } } as never);
      expect(partitionFor(key, 7)).toBe(theirs);
    }
  });
});
