import {
  partitionFor,
  type ConsumerOptions,
  type EventConsumer,
  type EventLog,
  type RecordBatch,
  type TopicSpec,
} from '@niobe/events';
import { isNiobeError, systemClock, until, type ErrorCode } from '@niobe/kernel';
import { afterAll, beforeAll, describe, expect, it } from '../jest-globals.ts';

/**
 * What every event log must do, run on the twin in memory and on Kafka. Each test has topics and groups of its own, so that one log
 * serves them all.
 */

/** A log under test. */
export interface EventLogFixture {
  readonly log: EventLog;
  /** Ends the log without warning, does `whileAway`, and brings it back with all it had acknowledged. */
  interrupt(whileAway: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

const WAIT_MS = 60_000;
const SPEC: Omit<TopicSpec, 'name'> = { partitions: 4, retentionMs: 3_600_000, retentionBytes: -1 };

let names = 0;
const newName = (what: string): string => `${what}-${process.pid}-${names++}`;
const text = (bytes: Uint8Array | null | undefined): string | null =>
  bytes === null || bytes === undefined ? null : new TextDecoder().decode(bytes);

const waitUntil = (holds: () => boolean | Promise<boolean>, what: string): Promise<void> =>
  until(systemClock, holds, WAIT_MS, what);

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | 'TAKEN' | 'OTHER'> {
  return work.then(
    () => 'TAKEN',
    (error: unknown) => (isNiobeError(error) ? error.code : 'OTHER'),
  );
}

/** A consumer that begins every partition at `start`, or where it ended, and keeps what it got. */
class Collector {
  readonly batches: RecordBatch[] = [];
  readonly assignments: number[][] = [];
  readonly failures: { partition: number; error: Error }[] = [];
  readonly positions = new Map<number, number>();
  readonly consumer: EventConsumer;

  constructor(log: EventLog, topic: string, options: Partial<ConsumerOptions> = {}, start: number | null = 0) {
    this.consumer = log.consumer({
      group: newName('group'),
      topic,
      gatherMs: 5,
      maxBatchBytes: 1_048_576,
      onAssigned: (partitions) => {
        this.assignments.push([...partitions]);
        if (start === null) return;
        for (const partition of partitions) this.consumer.seek(partition, this.positions.get(partition) ?? start);
      },
      onRevoked: () => undefined,
      onBatch: async (batch) => this.keep(batch),
      onFailed: (partition, error) => this.failures.push({ partition, error }),
      ...options,
    });
  }

  keep(batch: RecordBatch): void {
    this.batches.push(batch);
    this.positions.set(batch.partition, batch.to);
  }

  /** Values in order of partition and delivery. */
  values(): (string | null)[] {
    const sorted = [...this.batches].sort((a, b) => a.partition - b.partition);
    return sorted.flatMap((batch) => batch.values.map(text));
  }

  /** Waits for `count` records. */
  async got(count: number): Promise<void> {
    await waitUntil(() => this.values().length >= count, `${count} records`);
  }
}

async function newTopic(log: EventLog, partitions: number = SPEC.partitions): Promise<string> {
  const name = newName('topic');
  await log.ensureTopics([{ ...SPEC, name, partitions }]);
  return name;
}

async function send(log: EventLog, topic: string, values: readonly string[], partition = 0): Promise<void> {
  const producer = await log.producer();
  await producer.send(
    topic,
    values.map((value) => ({ partition, key: null, value })),
  );
  await producer.close();
}

const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index));

/** Batches of one partition follow each other without gap or overlap. */
function expectContiguous(batches: readonly RecordBatch[], from: number): void {
  let next = from;
  for (const batch of batches) {
    expect(batch.from).toBe(next);
    expect(batch.offsets.every((offset) => offset >= batch.from && offset < batch.to)).toBe(true);
    next = batch.to;
  }
}

/** The suite; `make` starts a log, which must be empty of the names this process makes. */
export function eventLogContract(title: string, make: () => Promise<EventLogFixture>): void {
  describe(title, () => {
    let underTest: EventLogFixture;
    let log: EventLog;
    beforeAll(async () => {
      underTest = await make();
      log = underTest.log;
    }, 120_000);
    afterAll(async () => underTest?.close(), 60_000);

    topicContract(() => log);
    producerContract(() => log);
    consumerContract(() => log);
    faultContract(() => underTest);
  });
}

function topicContract(logOf: () => EventLog): void {
  describe('topics', () => {
    it('are created once and found again', async () => {
      const spec = { ...SPEC, name: newName('topic') };
      await logOf().ensureTopics([spec]);
      await logOf().ensureTopics([spec, { ...SPEC, name: newName('topic') }]);
      const offsets = await logOf().offsets(spec.name);
      expect(offsets).toEqual(Array.from({ length: 4 }, () => ({ earliest: 0, latest: 0 })));
    });

    it('refuse another number of partitions', async () => {
      const name = await newTopic(logOf(), 4);
      expect(await codeOf(logOf().ensureTopics([{ ...SPEC, name, partitions: 5 }]))).toBe('INCOMPATIBLE');
      expect(await logOf().offsets(name)).toHaveLength(4);
    });
  });
}

function producerContract(logOf: () => EventLog): void {
  describe('producer', () => {
    it('writes key, value and headers, stamped with the time of arrival', async () => {
      const topic = await newTopic(logOf(), 1);
      const producer = await logOf().producer();
      const startMs = systemClock.nowMs() - 1000;
      await producer.send(topic, [
        { key: 'schlüssel', value: '{"a":1}', headers: { ce_id: 'é', raw: Uint8Array.of(0, 255) } },
        { key: Uint8Array.of(1, 2, 3), value: Uint8Array.of(4, 5), headers: {} },
        { partition: 0, key: null, value: null },
      ]);
      const collector = new Collector(logOf(), topic);
      await collector.got(3);
      const keys = collector.batches.flatMap((batch) => batch.keys);
      expect(text(keys[0])).toBe('schlüssel');
      expect([...keys[1]!]).toEqual([1, 2, 3]);
      expect(keys[2]).toBeNull();
      expect(collector.values().slice(0, 2)).toEqual(['{"a":1}', '\u0004\u0005']);
      expect(collector.batches.flatMap((batch) => batch.values)[2]).toBeNull();
      const headers = collector.batches.flatMap((batch) => batch.headers);
      expect(text(headers[0]!.ce_id)).toBe('é');
      expect([...headers[0]!.raw!]).toEqual([0, 255]);
      expect(Object.keys(headers[2]!)).toEqual([]);
      for (const timestamp of collector.batches.flatMap((batch) => batch.timestamps))
        expect(timestamp >= startMs && timestamp <= systemClock.nowMs() + 1000).toBe(true);
      await collector.consumer.close();
      await producer.close();
    });

    it('chooses the partition of the key as Java clients do, or the stated one', async () => {
      const topic = await newTopic(logOf());
      const producer = await logOf().producer();
      const keys = numbered(40).map((number) => `product-${number}`);
      await producer.send(
        topic,
        keys.map((key) => ({ key, value: key })),
      );
      await producer.send(topic, [{ partition: 3, key: keys[0]!, value: 'stated' }]);
      const collector = new Collector(logOf(), topic);
      await collector.got(41);
      for (const batch of collector.batches) {
        batch.values.forEach((value) => {
          const expected = text(value) === 'stated' ? 3 : partitionFor(text(value)!, 4);
          expect(batch.partition).toBe(expected);
        });
      }
      await collector.consumer.close();
      await producer.close();
    });

    it('refuses what is too large, and what comes after its end', async () => {
      const topic = await newTopic(logOf(), 1);
      const producer = await logOf().producer();
      const value = new Uint8Array(1_100_000);
      expect(await codeOf(producer.send(topic, [{ key: 'a', value }]))).toBe('TOO_LARGE');
      await producer.send(topic, [{ key: 'a', value: 'b' }]);
      expect(await logOf().offsets(topic)).toEqual([{ earliest: 0, latest: 1 }]);
      await producer.close();
      expect(await codeOf(producer.send(topic, [{ key: 'a', value: 'b' }]))).toBe('CLOSED');
    });
  });
}

function consumerContract(logOf: () => EventLog): void {
  describe('consumer', () => {
    it('delivers nothing before seek, then from that offset on, in order and without gaps', async () => {
      const topic = await newTopic(logOf(), 1);
      await send(logOf(), topic, numbered(100));
      const collector = new Collector(logOf(), topic, {}, null);
      await waitUntil(() => collector.assignments.length > 0, 'an assignment');
      await send(logOf(), topic, numbered(100, 100));
      expect(collector.batches).toHaveLength(0);
      collector.consumer.seek(0, 70);
      await collector.got(130);
      await send(logOf(), topic, numbered(10, 200));
      await collector.got(140);
      expect(collector.values()).toEqual(numbered(140, 70));
      expectContiguous(collector.batches, 70);
      expect(collector.batches.at(-1)!.highWatermark).toBe(210);
      await collector.consumer.close();
    });

    it('bounds a batch by bytes', async () => {
      const topic = await newTopic(logOf(), 1);
      for (let i = 0; i < 8; i++) await send(logOf(), topic, [`${i}`.repeat(50_000)]);
      const collector = new Collector(logOf(), topic, { maxBatchBytes: 120_000 });
      await collector.got(8);
      expect(collector.batches.length).toBeGreaterThanOrEqual(4);
      expectContiguous(collector.batches, 0);
      await collector.consumer.close();
    });

    it('has one batch of a partition in the handler at a time, and a slow one holds back no other', async () => {
      const topic = await newTopic(logOf(), 2);
      let inHandler = 0;
      let most = 0;
      const gate = Promise.withResolvers<void>();
      const onBatch = async (batch: RecordBatch): Promise<void> => {
        if (batch.partition === 0) {
          most = Math.max(most, ++inHandler);
          await gate.promise;
          inHandler -= 1;
        }
        collector.keep(batch);
      };
      const collector = new Collector(logOf(), topic, { onBatch });
      for (let i = 0; i < 5; i++) await send(logOf(), topic, [`a${i}`], 0);
      await waitUntil(() => inHandler === 1, 'a batch in the handler');
      for (let i = 0; i < 20; i++) await send(logOf(), topic, [`b${i}`], 1);
      await collector.got(20);
      expect(collector.values().every((value) => value!.startsWith('b'))).toBe(true);
      gate.resolve();
      await collector.got(25);
      expect(most).toBe(1);
      expect(collector.values().slice(0, 5)).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
      await collector.consumer.close();
    });

    it('delivers a refused batch again, from the same offset', async () => {
      const topic = await newTopic(logOf(), 1);
      let refusals = 2;
      const refused: number[] = [];
      const onBatch = async (batch: RecordBatch): Promise<void> => {
        if (batch.from >= 5 && refusals-- > 0) {
          refused.push(batch.from);
          throw new Error('not now');
        }
        collector.keep(batch);
      };
      const collector = new Collector(logOf(), topic, { onBatch });
      await send(logOf(), topic, numbered(5));
      await collector.got(5);
      await send(logOf(), topic, numbered(5, 5));
      await collector.got(10);
      expect(refused).toEqual([5, 5]);
      expect(collector.values()).toEqual(numbered(10));
      await collector.consumer.close();
    });

    it('pauses and resumes', async () => {
      const topic = await newTopic(logOf(), 1);
      const collector = new Collector(logOf(), topic);
      await send(logOf(), topic, numbered(5));
      await collector.got(5);
      collector.consumer.pause(0);
      await send(logOf(), topic, numbered(5, 5));
      const other = new Collector(logOf(), topic);
      await other.got(10);
      expect(collector.values()).toHaveLength(5);
      collector.consumer.resume(0);
      await collector.got(10);
      expectContiguous(collector.batches, 0);
      await Promise.all([collector.consumer.close(), other.consumer.close()]);
    });

    it('seeks back while a batch is in the handler', async () => {
      const topic = await newTopic(logOf(), 1);
      const gate = Promise.withResolvers<void>();
      const starts: number[] = [];
      const onBatch = async (batch: RecordBatch): Promise<void> => {
        starts.push(batch.from);
        if (starts.length === 2) await gate.promise;
        collector.keep(batch);
      };
      const collector = new Collector(logOf(), topic, { onBatch });
      await send(logOf(), topic, numbered(3));
      await collector.got(3);
      await send(logOf(), topic, numbered(3, 3));
      await waitUntil(() => starts.length === 2, 'a second batch');
      await send(logOf(), topic, numbered(3, 6));
      // What the other one has, this one has fetched too: a batch waits behind the one in the handler.
      const other = new Collector(logOf(), topic);
      await other.got(9);
      await other.consumer.close();
      collector.consumer.seek(0, 1);
      gate.resolve();
      await waitUntil(() => collector.positions.get(0) === 9, 'the end of the topic');
      expect(starts[2]).toBe(1);
      const again = collector.batches.slice(2);
      expectContiguous(again, 1);
      await collector.consumer.close();
    });

    it('says when the log does not have what a position needs', async () => {
      const topic = await newTopic(logOf(), 1);
      await send(logOf(), topic, numbered(5));
      const collector = new Collector(logOf(), topic, {}, 7);
      await waitUntil(() => collector.failures.length > 0, 'a failure');
      const [failure] = collector.failures;
      expect(isNiobeError(failure!.error, 'OFFSET_GONE')).toBe(true);
      expect(failure!.error.message).toMatch(/offset 7.*0 to 5/);
      expect(collector.batches).toHaveLength(0);
      collector.consumer.seek(0, 2);
      await collector.got(3);
      expect(collector.values()).toEqual(['2', '3', '4']);
      await collector.consumer.close();
    });

    it('deals out partitions among the members of a group, and again when one leaves', async () => {
      const topic = await newTopic(logOf());
      const group = newName('group');
      const first = new Collector(logOf(), topic, { group });
      await waitUntil(() => first.assignments.at(-1)?.length === 4, 'all partitions at the first');
      const second = new Collector(logOf(), topic, { group });
      await waitUntil(
        () => second.assignments.at(-1)?.length === 2 && first.assignments.at(-1)?.length === 2,
        'two each',
      );
      const both = [...first.assignments.at(-1)!, ...second.assignments.at(-1)!];
      expect(both.sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
      await first.consumer.close();
      await waitUntil(() => second.assignments.at(-1)?.length === 4, 'all partitions at the second');
      for (let partition = 0; partition < 4; partition++) await send(logOf(), topic, [`${partition}`], partition);
      await second.got(4);
      expect(second.values()).toEqual(['0', '1', '2', '3']);
      await second.consumer.close();
    }, 90_000);
  });
}

function faultContract(underTest: () => EventLogFixture): void {
  it('waits while the log is away, loses nothing it acknowledged and goes on', async () => {
    const { log } = underTest();
    const topic = await newTopic(log, 1);
    const collector = new Collector(log, topic);
    const producer = await log.producer();
    await producer.send(
      topic,
      numbered(50).map((value) => ({ key: 'k', value })),
    );
    await collector.got(50);
    const sent: Promise<void>[] = [];
    await underTest().interrupt(async () => {
      sent.push(producer.send(topic, [{ key: 'k', value: 'sent while away' }]));
      await waitUntil(() => !log.status().ready, 'the log to say that it is away');
      expect(log.status().reason).not.toBe('');
    });
    await Promise.all(sent);
    await waitUntil(() => log.status().ready, 'the log to say that it is back');
    await producer.send(
      topic,
      numbered(50, 50).map((value) => ({ key: 'k', value })),
    );
    await waitUntil(() => collector.values().at(-1) === '99', 'the last record');
    expectContiguous(collector.batches, 0);
    // A record whose acknowledgement was lost may be there twice, never not at all.
    const distinct = collector.values().filter((value, index, all) => value !== all[index - 1]);
    expect(distinct).toEqual([...numbered(50), 'sent while away', ...numbered(50, 50)]);
    await producer.close();
    await collector.consumer.close();
  }, 120_000);
}
