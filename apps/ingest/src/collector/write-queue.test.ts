import { describe, expect, it } from '@jest/globals';
import type { AcceptedEvent, EventProducer, OutgoingRecord } from '@niobe/events';
import {
  deferred,
  isNiobeError,
  ManualClock,
  NiobeError,
  silentLogger,
  silentMeter,
  type Deferred,
} from '@niobe/kernel';
import { ACKNOWLEDGE_DEADLINE_MS, LINGER_MS, QUEUE_BYTES_LIMIT, WRITE_BYTES_LIMIT } from './limits.ts';
import { WriteQueue } from './write-queue.ts';

interface Send {
  readonly topic: string;
  readonly values: readonly OutgoingRecord['value'][];
  readonly answer: Deferred<void>;
}

/** A producer whose sends are answered by the test. */
class HeldProducer implements EventProducer {
  readonly sends: Send[] = [];

  send(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    const answer = deferred<void>();
    this.sends.push({ topic, values: records.map(({ value }) => value), answer });
    return answer.promise;
  }

  async close(): Promise<void> {}
}

const event = (id: string, bytes = 100, topic = 't'): AcceptedEvent => ({
  id,
  topic,
  bytes,
  record: { key: id, value: id },
});

function setUp(): { queue: WriteQueue; producer: HeldProducer; clock: ManualClock } {
  const producer = new HeldProducer();
  const clock = new ManualClock();
  const writeSeconds = silentMeter.histogram('', '', []);
  return { queue: new WriteQueue({ producer, clock, logger: silentLogger, writeSeconds }), producer, clock };
}

/** Lets promises that can go on do so. */
const settle = (): Promise<void> => new Promise((resolve) => process.nextTick(() => queueMicrotask(resolve)));

async function answer(send: Send | undefined, error?: NiobeError): Promise<void> {
  if (error === undefined) send!.answer.resolve();
  else send!.answer.reject(error);
  await settle();
}

const outcome = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => 'acknowledged',
    (error: unknown) => (isNiobeError(error) ? error.code : String(error)),
  );

describe('WriteQueue', () => {
  it('joins the requests of a few milliseconds, and those that come during a write', async () => {
    const { queue, producer, clock } = setUp();
    const first = [outcome(queue.write([event('a')])), outcome(queue.write([event('b')]))];
    clock.advance(LINGER_MS - 1);
    expect(producer.sends).toHaveLength(0);
    clock.advance(1);
    expect(producer.sends.map(({ values }) => values)).toEqual([['a', 'b']]);
    const second = [outcome(queue.write([event('c')])), outcome(queue.write([event('d'), event('e')]))];
    clock.advance(1000);
    expect(producer.sends).toHaveLength(1);
    await answer(producer.sends[0]);
    expect(await Promise.all(first)).toEqual(['acknowledged', 'acknowledged']);
    expect(producer.sends[1]!.values).toEqual(['c', 'd', 'e']);
    expect(queue.bytes).toBe(300);
    await answer(producer.sends[1]);
    expect(await Promise.all(second)).toEqual(['acknowledged', 'acknowledged']);
    expect(queue.bytes).toBe(0);
  });

  it('keeps topics apart', async () => {
    const { queue, producer, clock } = setUp();
    const both = outcome(queue.write([event('a', 1, 't'), event('b', 1, 'u'), event('c', 1, 't')]));
    clock.advance(LINGER_MS);
    expect(producer.sends.map(({ topic, values }) => [topic, values])).toEqual([
      ['t', ['a', 'c']],
      ['u', ['b']],
    ]);
    await answer(producer.sends[0]);
    await answer(producer.sends[1], new NiobeError('UNAVAILABLE', 'away'));
    expect(await both).toBe('UNAVAILABLE');
  });

  it('bounds one write', async () => {
    const { queue, producer, clock } = setUp();
    const third = Math.floor(WRITE_BYTES_LIMIT / 3);
    void queue.write(['a', 'b', 'c', 'd'].map((id) => event(id, third)));
    clock.advance(LINGER_MS);
    await answer(producer.sends[0]);
    expect(producer.sends.map(({ values }) => values)).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('refuses what finds no room, whole, and has room again afterwards', async () => {
    const { queue, producer, clock } = setUp();
    const held = outcome(queue.write([event('a', QUEUE_BYTES_LIMIT - 150)]));
    clock.advance(LINGER_MS);
    expect(await outcome(queue.write([event('b', 100), event('c', 100)]))).toBe('BUSY');
    expect(queue.isFull).toBe(false);
    const fits = outcome(queue.write([event('d', 150)]));
    expect(queue.isFull).toBe(true);
    await answer(producer.sends[0]);
    expect(queue.isFull).toBe(false);
    await answer(producer.sends[1]);
    expect(await Promise.all([held, fits])).toEqual(['acknowledged', 'acknowledged']);
    expect(producer.sends.flatMap(({ values }) => values)).toEqual(['a', 'd']);
  });

  it('answers at the deadline; what is under way keeps its bytes, what is not will never be', async () => {
    const { queue, producer, clock } = setUp();
    const underWay = outcome(queue.write([event('a')]));
    clock.advance(LINGER_MS);
    const waiting = outcome(queue.write([event('b')]));
    clock.advance(ACKNOWLEDGE_DEADLINE_MS);
    expect(await Promise.all([underWay, waiting])).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    expect(queue.bytes).toBe(100);
    const late = outcome(queue.write([event('c')]));
    await answer(producer.sends[0]);
    expect(producer.sends.map(({ values }) => values)).toEqual([['a'], ['c']]);
    await answer(producer.sends[1]);
    expect(await late).toBe('acknowledged');
    expect(queue.bytes).toBe(0);
  });

  it('tells a failed write to its requests and goes on', async () => {
    const { queue, producer, clock } = setUp();
    const failed = outcome(queue.write([event('a')]));
    clock.advance(LINGER_MS);
    await answer(producer.sends[0], new NiobeError('UNAVAILABLE', 'away'));
    expect(await failed).toBe('UNAVAILABLE');
    const next = outcome(queue.write([event('b')]));
    clock.advance(LINGER_MS);
    await answer(producer.sends[1]);
    expect(await next).toBe('acknowledged');
    expect(queue.bytes).toBe(0);
  });

  it('drains one write after the other', async () => {
    const { queue, producer, clock } = setUp();
    void queue.write([event('a', WRITE_BYTES_LIMIT), event('b', WRITE_BYTES_LIMIT), event('c')]);
    clock.advance(LINGER_MS);
    const drained = queue.drain();
    for (let sends = 1; sends <= 3; sends++) {
      await settle();
      expect(producer.sends).toHaveLength(sends);
      await answer(producer.sends[sends - 1]);
    }
    await drained;
    expect(queue.bytes).toBe(0);
  });

  it('drains without lingering', async () => {
    const { queue, producer } = setUp();
    const write = outcome(queue.write([event('a')]));
    const drained = queue.drain();
    expect(producer.sends).toHaveLength(1);
    await answer(producer.sends[0]);
    await drained;
    expect(await write).toBe('acknowledged');
  });
});
