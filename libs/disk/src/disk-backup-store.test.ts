import { readdir, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { silentMeter } from '@niobe/kernel';
import { append, OWNER, pattern, readBytes, round, Scratch, SMALL } from '../fixtures/scratch.ts';
import { DiskBackupStore, SEGMENT_HEADER_BYTES, type DiskBackupStoreOptions } from './index.ts';

jest.setTimeout(60_000);

const REGISTER = { kind: 'register' } as const;

describe('DiskBackupStore', () => {
  let scratch: Scratch;
  let stores: DiskBackupStore[];
  beforeEach(async () => {
    scratch = await Scratch.make();
    stores = [];
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await scratch.remove();
  });

  async function open(options: Partial<DiskBackupStoreOptions> = {}): Promise<DiskBackupStore> {
    const store = await DiskBackupStore.open({ ...SMALL, folder: scratch.path('store'), ...options });
    stores.push(store);
    return store;
  }

  it('lets one process at a time have a folder', async () => {
    const store = await open();
    await expect(open()).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    await store.close();
    await open();
  });

  it('is an empty store where the folder is gone', async () => {
    const store = await open();
    await round(store, [3, REGISTER], [3, append(0, pattern(100, 1))], [3, { kind: 'complete', completeEpoch: 1 }]);
    await store.close();
    await scratch.remove();
    const again = await open();
    expect(again.partitions()).toEqual([]);
    expect(again.damage).toEqual([]);
  });

  it('has all in segment files, bytes behind the header, when it is closed', async () => {
    const store = await open();
    await round(store, [3, REGISTER], [3, append(0, pattern(5_000, 1))]);
    await round(store, [3, append(5_000, pattern(300, 2))]);
    await store.close();
    const bytes = await readBytes(scratch.path('store/segments/3/1-1.segment'));
    expect(Buffer.compare(bytes.subarray(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + 5_000), pattern(5_000, 1))).toBe(
      0,
    );
    expect(Buffer.compare(bytes.subarray(SEGMENT_HEADER_BYTES + 5_000), pattern(300, 2))).toBe(0);
    expect(await readdir(scratch.path('store'))).toEqual(['journal', 'manifest.0', 'manifest.1', 'segments']);
  });

  it('cuts the file of a segment that is cut', async () => {
    const store = await open();
    await round(store, [3, REGISTER], [3, append(0, pattern(5_000, 1))]);
    await store.read(3, 1, 1, 0, 1);
    await round(store, [3, { kind: 'truncate', segment: 1, segmentEpoch: 1, length: 70 }]);
    await store.close();
    const { size } = await stat(scratch.path('store/segments/3/1-1.segment'));
    expect(size).toBe(SEGMENT_HEADER_BYTES + 70);
  });

  it('writes a segment that is freed soon to no file', async () => {
    const store = await open();
    await round(store, [3, REGISTER], [3, append(0, pattern(5_000, 1))]);
    await round(store, [3, { kind: 'free', segment: 1, segmentEpoch: 1 }]);
    await store.close();
    expect(await readdir(scratch.path('store/segments'))).toEqual([]);
  });

  it('reuses journal parts and files for as long as it runs, and what is opened after a kill is all that was synced', async () => {
    const gauges = new Map<string, () => number>();
    const meter = {
      ...silentMeter,
      gauge: (name: string, _: string, read: () => number) => void gauges.set(name, read),
    };
    const store = await open({ meter });
    for (let partition = 0; partition < 6; partition++) await round(store, [partition, REGISTER]);
    const pieceBytes = 8_000;
    const pieces = 60;
    for (let piece = 0; piece < pieces; piece++)
      await round(
        store,
        ...Array.from(
          { length: 6 },
          (_, p) => [p, append(piece * pieceBytes, pattern(pieceBytes, piece + p))] as const,
        ),
      );
    const copy = await open({ folder: await scratch.copy(scratch.path('store')) });
    expect(copy.damage).toEqual([]);
    for (const one of [store, copy])
      for (let p = 0; p < 6; p++)
        for (let piece = 0; piece < pieces; piece++) {
          const bytes = await one.read(p, 1, 1, piece * pieceBytes, pieceBytes);
          expect(Buffer.compare(bytes, pattern(pieceBytes, piece + p))).toBe(0);
        }
    const parts = (await readdir(scratch.path('store/journal'))).filter((name) => name.startsWith('part-'));
    expect(parts.length).toBeLessThanOrEqual(SMALL.partsMax!);
    expect(gauges.get('open_files')!()).toBeLessThanOrEqual(SMALL.openFilesMax!);
    expect(gauges.get('unwritten_bytes')!()).toBeLessThanOrEqual(gauges.get('unwritten_limit_bytes')!());
    for (const part of parts) expect((await stat(scratch.path(`store/journal/${part}`))).size).toBe(SMALL.partBytes);
  });

  it('takes a round that is longer than its buffers', async () => {
    const store = await open({ roundBufferBytes: 16 * 1024 });
    await round(store, [3, REGISTER]);
    for (let i = 0; i < 4; i++) await round(store, [3, append(i * 100_000, pattern(100_000, i))]);
    for (let i = 0; i < 4; i++)
      expect(Buffer.compare(await store.read(3, 1, 1, i * 100_000, 100_000), pattern(100_000, i))).toBe(0);
    await expect(store.prepare(SMALL.partBytes!, 1)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  it('reads what is synced, and not what is only staged', async () => {
    const store = await open();
    await round(store, [3, REGISTER], [3, append(0, pattern(10, 1))]);
    await store.prepare(10, 1);
    store.stage(3, OWNER, append(10, pattern(10, 2)));
    expect(await store.read(3, 1, 1, 0, 100)).toEqual(pattern(10, 1));
    await store.sync();
    expect((await store.read(3, 1, 1, 0, 100)).length).toBe(20);
  });

  it('copies what it is given', async () => {
    const store = await open();
    const bytes = pattern(100, 1);
    await store.prepare(100, 2);
    store.stage(3, OWNER, REGISTER);
    store.stage(3, OWNER, append(0, bytes));
    bytes.fill(0);
    await store.sync();
    expect(await store.read(3, 1, 1, 0, 100)).toEqual(pattern(100, 1));
  });

  it('refuses to work once it is closed', async () => {
    const store = await open();
    await store.close();
    await expect(store.prepare(1, 1)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(store.read(1, 1, 1, 0, 1)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(() => store.stage(1, OWNER, REGISTER)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    await store.close();
  });

  it('says what is wrong with a folder that it cannot use', async () => {
    await writeFile(scratch.path('file'), '');
    await expect(open({ folder: scratch.path('file/store') })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
