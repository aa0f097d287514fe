import { describe, expect, it } from '@jest/globals';
import { ManualClock, seededRandom, systemClock } from '@niobe/kernel';
import { ClickGenerator, type ClickEvent } from './click-generator.ts';
import { CollectorClient, type Rejection } from './collector-client.ts';
import { standInCollector } from './stand-in-collector.ts';

const settle = (): Promise<void> => new Promise((resolve) => systemClock.soon(resolve));

describe('ClickGenerator', () => {
  it('counts each event once while the collector refuses, loses connections and takes batches twice', async () => {
    const random = seededRandom(11);
    await using collector = await standInCollector(() => {
      const chance = random.below(10);
      if (chance === 0) return { status: 503, headers: { 'retry-after': '0.01' } };
      return chance === 1 ? 'hang up after taking' : undefined;
    });
    const target = new CollectorClient({ url: collector.url, clock: systemClock });
    const options = { seed: 3, ratePerSecond: Number.POSITIVE_INFINITY, count: 10_000, target, clock: systemClock };
    const generator = new ClickGenerator(options);
    await generator.run();

    const distinct = new Map(collector.taken.map((event) => [`${event.source}:${event.id}`, event as ClickEvent]));
    expect(distinct.size).toBe(10_000);
    expect(generator.acknowledged.events).toBe(10_000);
    const oracle = new Map<string, number>();
    let revenueCents = 0n;
    for (const { type, data } of distinct.values()) {
      oracle.set(`${type}/${data.product}`, (oracle.get(`${type}/${data.product}`) ?? 0) + 1);
      if (type === 'purchase') revenueCents += BigInt(data.quantity!) * BigInt(Math.round(Number(data.price) * 100));
    }
    expect(generator.acknowledged.byTypeAndProduct).toEqual(oracle);
    expect(generator.acknowledged.revenueCents).toBe(revenueCents);
    expect(collector.taken.length).toBeGreaterThan(10_000);
  });

  it('keeps its rate, and makes up for no more than a second after a standstill', async () => {
    const clock = new ManualClock();
    let sent = 0;
    const target = {
      post(events: readonly ClickEvent[]): Promise<Rejection[]> {
        sent += events.length;
        return Promise.resolve([]);
      },
    };
    const generator = new ClickGenerator({ seed: 1, ratePerSecond: 1_000, target, clock });
    const running = generator.run();
    for (let tick = 0; tick < 40; tick++) {
      clock.advance(50);
      await settle();
    }
    expect(sent).toBe(2_000);
    // In the hour without answers: the window of 4 batches of 50. After it: a second's worth.
    clock.advance(3_600_000);
    await settle();
    expect(sent).toBeLessThanOrEqual(3_200);
    generator.stop();
    await running;
  });

  it('makes nothing new while its window is full', async () => {
    const clock = new ManualClock();
    const target = { post: (): Promise<Rejection[]> => new Promise(() => undefined) };
    const generator = new ClickGenerator({ seed: 1, ratePerSecond: 100_000, target, clock });
    void generator.run();
    for (let tick = 0; tick < 40; tick++) clock.advance(50);
    await settle();
    expect(generator.generated).toBe(2_000);
  });

  it('leaves rejected events out of its account and remembers why', async () => {
    const rejection: Rejection = { index: 1, code: 'SCHEMA_VIOLATION', path: 'data.user', detail: 'no' };
    const target = { post: (): Promise<Rejection[]> => Promise.resolve([rejection]) };
    const generator = new ClickGenerator({ seed: 1, ratePerSecond: 1e6, count: 500, target, clock: systemClock });
    await generator.run();
    expect(generator.rejected).toBeGreaterThan(0);
    expect(generator.acknowledged.events + generator.rejected).toBe(500);
    expect(generator.firstRejection).toBe(rejection);
  });

  it('ends with the reason when the target fails for good', async () => {
    const target = { post: (): Promise<Rejection[]> => Promise.reject(new Error('wrong request')) };
    const generator = new ClickGenerator({ seed: 1, ratePerSecond: 1_000, target, clock: systemClock });
    await expect(generator.run()).rejects.toThrow('wrong request');
  });
});
