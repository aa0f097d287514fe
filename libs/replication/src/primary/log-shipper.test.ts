import { describe, expect, it } from '@jest/globals';
import { NiobeError, systemClock } from '@niobe/kernel';
import { Cells } from '../../test/cells.ts';
import { Cluster, DEPLOYMENT, PARTITION, type Primary } from '../../test/cluster.ts';
import { BackupClient } from '../backup/backup-client.ts';
import { BEHIND_BYTES_MAX } from '../limits.ts';
import { LogShipper } from './log-shipper.ts';

const TIMEOUT_MS = 500;

async function running(): Promise<{ cluster: Cluster; primary: Primary }> {
  const cluster = new Cluster();
  cluster.startBackups();
  return { cluster, primary: await cluster.settle(cluster.startPrimary()) };
}

function put(primary: Primary, key: string, value: number, blobBytes = 10): number {
  return primary.cells.write(new Map([[key, value]]), blobBytes);
}

describe('LogShipper', () => {
  it('makes commits durable on every backup server', async () => {
    const { cluster, primary } = await running();
    const seq = put(primary, 'a', 1);
    expect(primary.shipper.durableSeq(PARTITION)).toBeLessThan(seq);
    await cluster.settle(primary.shipper.whenDurable(PARTITION, seq, TIMEOUT_MS));
    expect(primary.shipper.durableSeq(PARTITION)).toBe(seq);
    for (const { disk } of cluster.backups) {
      const [held] = disk.afterCrash().holding(PARTITION).segments;
      expect(held?.committedBytes).toBe(primary.cells.store.segmentBytes(held!.segment).length);
    }
    await primary.shipper.whenDurable(PARTITION, seq, 0);
  });

  it('sends what was appended in one turn together', async () => {
    const { cluster, primary } = await running();
    await cluster.pass(50);
    const before = cluster.backups[0].disk.syncs;
    let seq = 0;
    for (let i = 0; i < 50; i++) seq = put(primary, `key-${i}`, i);
    await cluster.settle(primary.shipper.whenDurable(PARTITION, seq, TIMEOUT_MS));
    expect(cluster.backups[0].disk.syncs - before).toBeLessThanOrEqual(2);
  });

  it('fails those who wait while a copy is missing, and ships when it returns', async () => {
    const { cluster, primary } = await running();
    const [, second] = cluster.backups;
    second.kill();
    const seq = put(primary, 'a', 1);
    const error = await cluster.settle(
      primary.shipper.whenDurable(PARTITION, seq, TIMEOUT_MS).catch((reason: unknown) => reason),
    );
    expect(error).toMatchObject({ code: 'BACKUP_UNAVAILABLE', retry: 'later' });
    expect(String(error)).toContain('backup-1');
    expect(primary.shipper.status()).toMatchObject([{ isUp: true }, { isUp: false, backup: 'backup-1' }]);
    second.start();
    await cluster.settle(primary.shipper.whenDurable(PARTITION, seq, 5_000));
    expect(primary.shipper.status()).toMatchObject([{ isUp: true }, { isUp: true, completePartitions: 1 }]);
  });

  it('fills a disk that was emptied, and counts it only when it holds everything', async () => {
    const { cluster, primary } = await running();
    let seq = 0;
    for (let i = 0; i < 40; i++) seq = put(primary, `key-${i}`, i, 60_000);
    await cluster.settle(primary.shipper.whenDurable(PARTITION, seq, 10_000));
    const [first, second] = cluster.backups;
    second.kill();
    second.empty();
    const { segments } = first.disk.holding(PARTITION);
    expect(segments.length).toBeGreaterThan(1);
    second.start();
    await cluster.until(() => second.disk.holding(PARTITION).completeEpoch > 0, 'completion');
    expect(second.disk.holding(PARTITION).segments).toEqual(segments);
    const later = put(primary, 'later', 1);
    await cluster.settle(primary.shipper.whenDurable(PARTITION, later, 5_000));
  });

  it('frees retired segments here and there, when their survivors are durable', async () => {
    const { cluster, primary } = await running();
    const seen = new Set<number>();
    for (let i = 0; i < 120; i++) {
      const seq = put(primary, `key-${i % 4}`, i, 60_000);
      primary.cells.store.clean(5);
      for (const { segment } of primary.cells.store.segments()) seen.add(segment);
      await cluster.settle(primary.shipper.whenDurable(PARTITION, seq, 5_000));
    }
    await cluster.pass(50);
    const left = primary.cells.store.segments().filter(({ bytes }) => bytes > 0);
    expect(seen.size).toBeGreaterThan(left.length + 5);
    for (const { disk } of cluster.backups)
      expect(disk.holding(PARTITION).segments.map(({ segment }) => segment)).toEqual(
        left.map(({ segment }) => segment).sort((a, b) => a - b),
      );
  });

  it('keeps retired segments while a copy is missing', async () => {
    const { cluster, primary } = await running();
    cluster.backups[1].kill();
    for (let i = 0; i < 60; i++) {
      put(primary, `key-${i % 4}`, i, 60_000);
      primary.cells.store.clean(5);
      await cluster.pass(10);
    }
    expect(primary.cells.store.segments().some(({ retired }) => retired)).toBe(true);
    cluster.backups[1].start();
    await cluster.until(() => !primary.cells.store.segments().some(({ retired }) => retired), 'release');
  });

  it('is overloaded when a backup server is too far behind', async () => {
    const clock = systemClock;
    const cluster = new Cluster();
    const bus = cluster.network.connect();
    const shipper = new LogShipper({
      bus,
      deployment: DEPLOYMENT,
      backups: ['backup-9'],
      owner: 'a@1',
      clock: cluster.clock,
    });
    const log = shipper.open({ partition: 1, epoch: 1, base: [], baseSeq: 0 });
    const cells = new Cells({
      partition: 1,
      epoch: 1,
      firstSegment: 1,
      clock,
      events: log,
      arenaBytes: 2 * BEHIND_BYTES_MAX,
    });
    shipper.attach(log, cells.store);
    for (let i = 0; i * 1_000_000 < BEHIND_BYTES_MAX - 2_000_000; i++)
      cells.write(new Map([[`key-${i}`, i]]), 1_000_000);
    expect(shipper.isOverloaded).toBe(false);
    for (let i = 0; i < 4; i++) cells.write(new Map([[`more-${i}`, i]]), 1_000_000);
    expect(shipper.isOverloaded).toBe(true);
    shipper.close();
  });

  it('lets go of a partition that was promised to another', async () => {
    const { cluster, primary } = await running();
    const rival = new BackupClient(cluster.network.connect(), DEPLOYMENT, 'backup-1');
    await cluster.settle(rival.register(PARTITION, { epoch: 2, owner: 'shard-1@1' }));
    const seq = put(primary, 'a', 1);
    const error = await cluster.settle(
      primary.shipper.whenDurable(PARTITION, seq, 5_000).catch((reason: unknown) => reason),
    );
    expect(error).toMatchObject({ code: 'FENCED' });
    await expect(primary.shipper.whenDurable(PARTITION, seq, 5_000)).rejects.toThrow(
      expect.objectContaining({ code: 'NOT_PRIMARY' }),
    );
  });

  it('goes on after BUSY and DISK_FULL with what was refused', async () => {
    const { cluster, primary } = await running();
    cluster.backups[0].disk.refusal = new NiobeError('DISK_FULL', 'no space is left', { retryAfterMs: 30 });
    const seq = put(primary, 'a', 1);
    await cluster.pass(200);
    expect(primary.shipper.durableSeq(PARTITION)).toBeLessThan(seq);
    cluster.backups[0].disk.refusal = null;
    await cluster.settle(primary.shipper.whenDurable(PARTITION, seq, TIMEOUT_MS));
  });

  it('counts everything as durable at once where there are no backup servers', async () => {
    const cluster = new Cluster();
    const bus = cluster.network.connect();
    const shipper = new LogShipper({ bus, deployment: DEPLOYMENT, backups: [], owner: 'a@1', clock: cluster.clock });
    const log = shipper.open({ partition: 1, epoch: 1, base: [], baseSeq: 0 });
    const cells = new Cells({ partition: 1, epoch: 1, firstSegment: 1, clock: cluster.clock, events: log });
    shipper.attach(log, cells.store);
    await shipper.whenDurable(1, cells.write(new Map([['a', 1]]), 10), 0);
    for (let i = 0; i < 40; i++) {
      cells.write(new Map([['a', i]]), 60_000);
      cells.store.clean(5);
    }
    expect(cells.store.segments().some(({ retired }) => retired)).toBe(false);
    shipper.close();
  });

  it('fails those who wait when it is closed', async () => {
    const { cluster, primary } = await running();
    const waiting = primary.shipper.whenDurable(PARTITION, put(primary, 'a', 1), TIMEOUT_MS);
    primary.shipper.close();
    await expect(cluster.settle(waiting)).rejects.toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});
