import { describe, expect, it } from '@jest/globals';
import { isNiobeError, systemClock } from '@niobe/kernel';
import { eventLogContract } from '@niobe/testing';
import { MemoryEventLog } from './memory-event-log.ts';

eventLogContract('MemoryEventLog', async () => {
  const log = new MemoryEventLog({ clock: systemClock });
  return {
    log,
    interrupt: async (whileAway) => {
      log.stop();
      await whileAway();
      log.start();
    },
    close: () => log.close(),
  };
});

describe('MemoryEventLog', () => {
  const spec = { name: 't', partitions: 1, retentionMs: 1e9, retentionBytes: 1000 };

  it('forgets its oldest records beyond the retention, and says so to who needs them', async () => {
    const log = new MemoryEventLog({ clock: systemClock });
    await log.ensureTopics([spec]);
    const producer = await log.producer();
    const records = Array.from({ length: 1000 }, () => ({ key: null, value: 'x'.repeat(100) }));
    for (let i = 0; i < 20; i++) await producer.send('t', records);
    expect(await log.offsets('t')).toEqual([{ earliest: 19_990, latest: 20_000 }]);
    const failure = new Promise<Error>((resolve) => {
      const consumer = log.consumer({
        group: 'g',
        topic: 't',
        gatherMs: 0,
        maxBatchBytes: 1000,
        onAssigned: () => consumer.seek(0, 5),
        onRevoked: () => undefined,
        onBatch: async () => undefined,
        onFailed: (_partition, error) => resolve(error),
      });
    });
    expect(isNiobeError(await failure, 'OFFSET_GONE')).toBe(true);
    await log.close();
  });

  it('fails a send that it could not write by the deadline', async () => {
    const log = new MemoryEventLog({ clock: systemClock, sendDeadlineMs: 50 });
    await log.ensureTopics([spec]);
    const producer = await log.producer();
    log.stop();
    const error: unknown = await producer.send('t', [{ key: 'a', value: 'b' }]).catch((reason: unknown) => reason);
    expect(isNiobeError(error, 'UNAVAILABLE')).toBe(true);
    expect(await log.offsets('t')).toEqual([{ earliest: 0, latest: 0 }]);
  });
});
