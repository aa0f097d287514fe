import { describe, expect, it } from '@jest/globals';
import type { LogFields, Logger } from '@niobe/kernel';
import type { CrashStore } from '../../test/crash-store.ts';
import { Cluster, PARTITION, type Primary } from '../../test/cluster.ts';
import type { Change, SegmentHolding } from '../backup/backup-store.ts';

const CELLS = 30;

class Warnings implements Logger {
  readonly lines: { fields: LogFields; message: string }[] = [];
  debug(): void {}
  info(): void {}
  error(): void {}
  warn(fields: LogFields, message: string): void {
    this.lines.push({ fields, message });
  }
  child(): Logger {
    return this;
  }
}

/** A system that wrote some segments durably and whose shard was killed. */
async function written(): Promise<{ cluster: Cluster; cells: [string, number][]; warnings: Warnings }> {
  const warnings = new Warnings();
  const cluster = new Cluster({ logger: warnings });
  cluster.startBackups();
  const primary = await cluster.settle(cluster.startPrimary());
  await writeDurably(cluster, primary, 'key', CELLS);
  const cells = primary.cells.all();
  cluster.killPrimary();
  return { cluster, cells, warnings };
}

async function writeDurably(cluster: Cluster, primary: Primary, name: string, count: number): Promise<void> {
  let seq = 0;
  for (let i = 0; i < count; i++) seq = primary.cells.write(new Map([[`${name}-${i}`, i]]), 30_000);
  await cluster.settle(primary.shipper.whenDurable(PARTITION, seq, 20_000));
}

function heldBy(disk: CrashStore): readonly SegmentHolding[] {
  return disk.holding(PARTITION).segments;
}

/** Does what the disk below might do by itself: a change that nobody asked for. */
async function tamper(disk: CrashStore, change: Change): Promise<void> {
  disk.stage(PARTITION, disk.holding(PARTITION).promised!, change);
  await Promise.resolve();
}

async function flipBit(disk: CrashStore, { segment, epoch }: SegmentHolding, offset: number): Promise<void> {
  const bytes = await disk.read(PARTITION, segment, epoch, offset, 1);
  await tamper(disk, { kind: 'repair', segment, segmentEpoch: epoch, offset, bytes: bytes.map((byte) => byte ^ 4) });
}

async function bytesOf(disk: CrashStore): Promise<string[]> {
  const all: string[] = [];
  for (const { segment, epoch, heldBytes } of heldBy(disk))
    all.push(Buffer.from(await disk.read(PARTITION, segment, epoch, 0, heldBytes)).toString('base64'));
  return all;
}

describe('recoverPartition', () => {
  it('makes a new partition, complete on every backup server', async () => {
    const cluster = new Cluster();
    cluster.startBackups();
    const { recovery, cells } = await cluster.settle(cluster.startPrimary());
    expect(recovery).toMatchObject({ isNew: true, segments: [], firstSegment: 1, lastCommit: { epoch: 0, seq: 0 } });
    expect(cells.all()).toEqual([]);
    for (const { disk } of cluster.backups) expect(disk.holding(PARTITION).completeEpoch).toBe(1);
  });

  it('brings back every cell', async () => {
    const { cluster, cells, warnings } = await written();
    const primary = await cluster.settle(cluster.startPrimary());
    expect(primary.cells.all()).toEqual(cells);
    expect(primary.recovery).toMatchObject({ isNew: false, damage: [], unreachable: [] });
    expect(warnings.lines).toEqual([]);
  });

  it('recovers from one copy when the other is away, says so, and repairs that one when it returns', async () => {
    const { cluster, cells, warnings } = await written();
    const [first, second] = cluster.backups;
    second.kill();
    second.empty();
    const primary = await cluster.settle(cluster.startPrimary());
    expect(primary.cells.all()).toEqual(cells);
    expect(primary.recovery.unreachable).toEqual(['backup-1']);
    expect(warnings.lines.some(({ message }) => message.includes('without backup-1'))).toBe(true);
    second.start();
    await cluster.until(() => second.disk.holding(PARTITION).completeEpoch === 2, 'completion');
    expect(await bytesOf(second.disk)).toEqual(await bytesOf(first.disk));
  });

  it('does not begin with nothing where there were cells', async () => {
    const { cluster } = await written();
    for (const backup of cluster.backups) {
      backup.kill();
      backup.empty();
    }
    cluster.backups[0].start();
    await expectCode(cluster, 'BACKUP_UNAVAILABLE');
    cluster.backups[1].start();
    await expectCode(cluster, 'PARTITION_DAMAGED');
  });

  it('never uses an unfinished copy alone', async () => {
    const { cluster } = await written();
    const [first, second] = cluster.backups;
    await tamper(first.disk, { kind: 'complete', completeEpoch: 0 });
    second.kill();
    await expectCode(cluster, 'BACKUP_UNAVAILABLE');
  });

  it('needs an epoch above the promised one, and says which that is', async () => {
    const { cluster } = await written();
    cluster.epoch = 0;
    await expect(cluster.settle(cluster.startPrimary())).resolves.toBeDefined();
    cluster.killPrimary();
    cluster.backups[0].disk.stage(PARTITION, { epoch: 9, owner: 'shard-1@1' }, { kind: 'register' });
    const error = await cluster.settle(cluster.startPrimary().catch((reason: unknown) => reason));
    expect(error).toMatchObject({ code: 'FENCED', details: { promisedEpoch: 9 } });
  });

  it.each([
    ['a sealed segment', 0, 0.5],
    ['the last durable commit', -1, 1],
    ['the first byte', 0, 0],
  ])('repairs a flipped bit in %s from the other copy, and names the place', async (_, at, share) => {
    const { cluster, cells, warnings } = await written();
    const [first, second] = cluster.backups;
    const whole = await bytesOf(second.disk);
    const held = heldBy(first.disk).at(at)!;
    const offset = Math.min(held.heldBytes - 1, Math.floor(held.heldBytes * share));
    await flipBit(first.disk, held, offset);
    const primary = await cluster.settle(cluster.startPrimary());
    expect(primary.cells.all()).toEqual(cells);
    const [damage] = primary.recovery.damage;
    expect(damage).toMatchObject({ backup: 'backup-0', segment: held.segment, isRepairable: true });
    expect(damage!.offset).toBeLessThanOrEqual(offset);
    expect(warnings.lines[0]!.fields).toMatchObject({
      partition: PARTITION,
      segment: held.segment,
      backup: 'backup-0',
    });
    await cluster.until(() => first.disk.holding(PARTITION).completeEpoch === 2, 'repair');
    expect(await bytesOf(first.disk)).toEqual(whole);
  });

  it('puts a segment together whose copies are damaged in different places', async () => {
    const { cluster, cells } = await written();
    for (const [i, { disk }] of cluster.backups.entries()) {
      const held = heldBy(disk)[0]!;
      for (const share of [0.2, 0.6]) await flipBit(disk, held, Math.floor(held.heldBytes * (share + i * 0.2)));
    }
    const primary = await cluster.settle(cluster.startPrimary());
    expect(primary.cells.all()).toEqual(cells);
    expect(primary.recovery.damage.map(({ backup }) => backup).sort()).toEqual(['backup-0', 'backup-1']);
  });

  it('does not serve a partition that is damaged in the same place in every copy', async () => {
    const { cluster } = await written();
    const held = heldBy(cluster.backups[0].disk)[0]!;
    for (const { disk } of cluster.backups) await flipBit(disk, held, 40_000);
    const error = await cluster.settle(cluster.startPrimary().catch((reason: unknown) => reason));
    const { segment } = held;
    expect(error).toMatchObject({ code: 'PARTITION_DAMAGED', details: { partition: PARTITION, segment } });
    expect(String(error)).toMatch(new RegExp(`partition 5, segment ${segment}, offset \\d+`));
  });

  it('waits for the other copy where the one that answers is damaged', async () => {
    const { cluster, cells } = await written();
    const [first, second] = cluster.backups;
    await flipBit(first.disk, heldBy(first.disk)[0]!, 40_000);
    second.kill();
    await expectCode(cluster, 'BACKUP_UNAVAILABLE');
    second.start();
    expect((await cluster.settle(cluster.startPrimary())).cells.all()).toEqual(cells);
  });

  it.each([0, 1, 100, 20_000, 31_000, 100_000])('loses nothing when one head was cut to %i bytes', async (length) => {
    const { cluster, cells } = await written();
    const { disk } = cluster.backups[0];
    const head = heldBy(disk).at(-1)!;
    const cut = Math.min(length, head.heldBytes);
    const change: Change = { kind: 'truncate', segment: head.segment, segmentEpoch: head.epoch, length: cut };
    await tamper(disk, change);
    const primary = await cluster.settle(cluster.startPrimary());
    expect(primary.cells.all()).toEqual(cells);
    await cluster.until(() => disk.holding(PARTITION).completeEpoch === 2, 'completion');
    expect(await bytesOf(disk)).toEqual(await bytesOf(cluster.backups[1].disk));
  });

  it('takes bytes that the disk does not give as damage, not as an end', async () => {
    const { cluster, cells } = await written();
    const { disk } = cluster.backups[0];
    const read = disk.read.bind(disk);
    disk.read = (partition, segment, epoch, offset, bytes) =>
      read(partition, segment, epoch, offset, Math.max(0, Math.min(bytes, 70_000 - offset)));
    const primary = await cluster.settle(cluster.startPrimary());
    expect(primary.cells.all()).toEqual(cells);
    expect(primary.recovery.damage.length).toBeGreaterThan(0);
  });

  it('takes the copy that saw more, and its unacknowledged end with it', async () => {
    const { cluster } = await written();
    const primary = await cluster.settle(cluster.startPrimary());
    await cluster.until(() => primary.shipper.status().every((link) => link.completePartitions === 1), 'both complete');
    cluster.backups[1].kill();
    primary.cells.write(new Map([['unacknowledged', 1]]), 10);
    await cluster.pass(100);
    const cells = primary.cells.all();
    cluster.killPrimary();
    cluster.backups[1].start();
    expect((await cluster.settle(cluster.startPrimary())).cells.all()).toEqual(cells);
  });

  it('leaves out what a later owner went on without', async () => {
    const { cluster } = await written();
    const [first, second] = cluster.backups;
    // Epoch 2 makes something durable, then reaches the first copy alone, in the same segment, with what nobody was told of.
    let primary = await cluster.settle(cluster.startPrimary());
    await writeDurably(cluster, primary, 'more', 1);
    const cells = primary.cells.all();
    second.kill();
    primary.cells.write(new Map(['dead-1', 'dead-2', 'dead-3'].map((key) => [key, 1])), 10);
    await cluster.pass(100);
    cluster.killPrimary();
    first.kill();
    second.start();
    // Epoch 3 goes on from the second copy, and writes.
    primary = await cluster.settle(cluster.startPrimary());
    expect(primary.cells.all()).toEqual(cells);
    await cluster.until(() => second.disk.holding(PARTITION).completeEpoch === 3, 'completion');
    primary.cells.write(new Map([['alive', 1]]), 10);
    await cluster.pass(100);
    cluster.killPrimary();
    first.start();
    const keys = (await cluster.settle(cluster.startPrimary())).cells.all().map(([key]) => key);
    expect(keys).toContain('alive');
    expect(keys.filter((key) => key.startsWith('dead'))).toEqual([]);
  });

  async function expectCode(cluster: Cluster, code: string): Promise<void> {
    const error = await cluster.settle(cluster.startPrimary().catch((reason: unknown) => reason));
    expect(error).toMatchObject({ code });
  }
});
