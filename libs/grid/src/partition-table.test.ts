import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger, systemClock, until } from '@niobe/kernel';
import { MemorySharedMaps } from './memory-shared-maps.ts';
import { parsePartitionRow, type PartitionRow } from './partition-row.ts';
import { PartitionTable } from './partition-table.ts';
import { rendezvousShard } from './placement.ts';

const SHARDS = ['shard-0', 'shard-1'];
const SOON_MS = 5_000;

describe('PartitionTable', () => {
  let maps: MemorySharedMaps;
  let one: PartitionTable;
  let other: PartitionTable;

  beforeEach(async () => {
    maps = new MemorySharedMaps(systemClock);
    one = await PartitionTable.open({ maps, partitions: 64, logger: silentLogger });
    other = await PartitionTable.open({ maps, partitions: 64, logger: silentLogger });
  });
  afterEach(() => {
    one.close();
    other.close();
  });

  const shardOf = (partition: number): string => rendezvousShard(partition, SHARDS);
  const sees = (table: PartitionTable, holds: (row: PartitionRow | null) => boolean, partition = 0): Promise<void> =>
    until(systemClock, () => holds(table.row(partition)), SOON_MS, 'the row being seen');

  it('is caught up at once where nobody made rows yet', async () => {
    await one.caughtUp;
    expect(one.row(0)).toBeNull();
    expect(one.rowsOf('shard-0')).toEqual([]);
  });

  it('is made once by many who try', async () => {
    await Promise.all([one.ensureRows(SHARDS), other.ensureRows(SHARDS)]);
    const primaries = Array.from({ length: 64 }, (_, partition) => one.row(partition)?.primary);
    expect(primaries).toEqual(Array.from({ length: 64 }, (_, partition) => shardOf(partition)));
    expect(primaries).toEqual(Array.from({ length: 64 }, (_, partition) => other.row(partition)?.primary));
    expect(one.row(5)).toMatchObject({ epoch: 0, incarnation: null, phase: 'UNASSIGNED' });
  });

  it('keeps the placement of rows that exist when the shards change', async () => {
    await one.ensureRows(SHARDS);
    await other.ensureRows(['shard-2']);
    expect(other.rowsOf('shard-2')).toEqual([]);
  });

  it('raises the epoch with each claim and tells the other side', async () => {
    await one.ensureRows(SHARDS);
    const row = await one.claim(0, shardOf(0), 'a'.repeat(16));
    expect(row).toMatchObject({ epoch: 1, phase: 'UNASSIGNED' });
    await one.activate(row);
    await sees(other, (seen) => seen?.epoch === 1 && seen.phase === 'ACTIVE');
    const again = await other.claim(0, shardOf(0), 'b'.repeat(16), 7);
    expect(again.epoch).toBe(7);
    await expect(one.activate(row)).rejects.toMatchObject({ code: 'FENCED' });
    await sees(one, (seen) => seen?.epoch === 7 && seen.phase === 'UNASSIGNED');
  });

  it('gives different epochs to claims that race', async () => {
    await one.ensureRows(SHARDS);
    const rows = await Promise.all([one, other, one, other].map((table) => table.claim(3, shardOf(3), 'c'.repeat(16))));
    expect(new Set(rows.map((row) => row.epoch))).toEqual(new Set([1, 2, 3, 4]));
  });

  it('refuses claims of the wrong shard, without a row, or beyond the last epoch', async () => {
    await expect(one.claim(0, 'shard-0', 'a'.repeat(16))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await one.ensureRows(SHARDS, () => 2 ** 20 - 1);
    await expect(one.claim(0, 'shard-9', 'a'.repeat(16))).rejects.toMatchObject({ code: 'NOT_PRIMARY' });
    await expect(one.claim(0, shardOf(0), 'a'.repeat(16))).rejects.toMatchObject({ code: 'OVERFLOW' });
  });

  it('does not obey a row whose epoch went back, and leaves out what is no row', async () => {
    await one.ensureRows(SHARDS);
    await one.claim(0, shardOf(0), 'a'.repeat(16), 5);
    const map = await maps.open('partitions', (row) => row);
    const found = (await map.get('0'))!;
    await map.update('0', { ...(found.value as PartitionRow), epoch: 2 }, found.revision);
    await map.create('bad', { partition: 'x' });
    await map.create('999', { partition: 999, primary: 'shard-0', epoch: 1, incarnation: null, phase: 'ACTIVE' });
    const changes: number[] = [];
    one.onChange((row) => changes.push(row.partition));
    await one.claim(1, shardOf(1), 'a'.repeat(16));
    expect(await one.refresh(0)).toMatchObject({ epoch: 5 });
    expect(changes).toEqual([1]);
  });

  it('reads nothing but rows', () => {
    const row = { partition: 1, primary: 'shard-0', epoch: 3, incarnation: null, phase: 'ACTIVE' };
    expect(parsePartitionRow({ ...row, extra: 1 })).toEqual(row);
    const bad = [null, 1, 'x', [], {}, { ...row, epoch: -1 }, { ...row, epoch: 2 ** 20 }, { ...row, partition: 0.5 }];
    for (const wrong of [...bad, { ...row, primary: '' }, { ...row, incarnation: 3 }, { ...row, phase: 'MOVING' }])
      expect(() => parsePartitionRow(wrong)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
