import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@niobe/kernel';
import { CollectorClient } from './collector-client.ts';
import { standInCollector } from './stand-in-collector.ts';

const events = (count: number): { id: string }[] => Array.from({ length: count }, (_, id) => ({ id: String(id) }));
const idsOf = (taken: readonly { id: string }[]): string[] => taken.map((event) => event.id);

describe('CollectorClient', () => {
  it('sends the same events again after 503, no sooner than Retry-After says', async () => {
    await using collector = await standInCollector((request) =>
      request < 2 ? { status: 503, headers: { 'retry-after': '0.1' } } : undefined,
    );
    const client = new CollectorClient({ url: collector.url, clock: systemClock });
    const startMs = systemClock.monotonicMs();
    expect(await client.post(events(3))).toEqual([]);
    expect(systemClock.monotonicMs() - startMs).toBeGreaterThanOrEqual(195);
    expect(idsOf(collector.taken)).toEqual(['0', '1', '2']);
    expect(client.retries).toBe(2);
    expect(client.trouble).toBe('');
  });

  it('repeats the same ids when the connection breaks after the events were taken', async () => {
    await using collector = await standInCollector((request) => (request === 0 ? 'hang up after taking' : undefined));
    const client = new CollectorClient({ url: collector.url, clock: systemClock });
    expect(await client.post(events(2))).toEqual([]);
    expect(idsOf(collector.taken)).toEqual(['0', '1', '0', '1']);
  });

  it('sends again only the part that was refused for now, and reports what was refused for good', async () => {
    const rejected = [
      { index: 0, code: 'SCHEMA_VIOLATION', path: 'data.x', detail: 'no' },
      { index: 2, code: 'BUSY', path: '', detail: 'later' },
    ];
    await using collector = await standInCollector((request) =>
      request === 0 ? { status: 207, body: { accepted: 1, rejected } } : undefined,
    );
    const client = new CollectorClient({ url: collector.url, clock: systemClock });
    expect(await client.post(events(3))).toEqual([rejected[0]]);
    expect(idsOf(collector.taken)).toEqual(['2']);
  });

  it('halves a batch that is too large, down to the single event that is', async () => {
    await using collector = await standInCollector((_, batch) =>
      batch.length > 2 || batch.some((event) => event.id === '4')
        ? { status: 413, body: { code: 'TOO_LARGE', detail: 'too large' } }
        : undefined,
    );
    const client = new CollectorClient({ url: collector.url, clock: systemClock });
    expect(await client.post(events(7))).toEqual([{ index: 4, code: 'TOO_LARGE', path: '', detail: 'too large' }]);
    expect(idsOf(collector.taken)).toEqual(['0', '1', '2', '3', '5', '6']);
  });

  it('fails with what the collector says when the whole request is wrong', async () => {
    await using collector = await standInCollector(() => ({
      status: 400,
      body: { code: 'MALFORMED', detail: 'at position 3' },
    }));
    const client = new CollectorClient({ url: collector.url, clock: systemClock });
    await expect(client.post(events(1))).rejects.toThrow('the collector answers 400 MALFORMED: at position 3');
  });

  it('gives up when its patience ends, and at once when closed', async () => {
    await using collector = await standInCollector(() => ({ status: 503, headers: { 'retry-after': '1' } }));
    const hasty = new CollectorClient({ url: collector.url, clock: systemClock, patienceMs: 50 });
    await expect(hasty.post(events(1))).rejects.toMatchObject({ code: 'DEADLINE' });
    const client = new CollectorClient({ url: collector.url, clock: systemClock });
    const posting = client.post(events(1));
    client.close();
    await expect(posting).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
