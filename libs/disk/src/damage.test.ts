import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { crc32 } from '@niobe/kernel';
import { append, cutFile, flip, OWNER, pattern, readBytes, round, Scratch, SMALL } from '../fixtures/scratch.ts';
import { DiskBackupStore, SEGMENT_HEADER_BYTES } from './index.ts';

jest.setTimeout(60_000);

const BYTES = pattern(9_000, 5);
const SEGMENT = 'segments/3/1-1.segment';

/** Files of a store that was stopped, harmed one by one. */
describe('A folder that is damaged', () => {
  let scratch: Scratch;
  let folder: string;
  let store: DiskBackupStore;

  beforeEach(async () => {
    scratch = await Scratch.make();
    folder = scratch.path('store');
    await reopen();
    await store.prepare(100, 1);
    store.stageCatalogue({ revision: 4, bytes: pattern(50, 4) });
    await store.sync();
    await round(store, [3, { kind: 'register' }], [3, append(0, BYTES)], [3, { kind: 'complete', completeEpoch: 1 }]);
    await store.close();
  });
  afterEach(async () => {
    await store.close();
    await scratch.remove();
  });

  async function reopen(): Promise<void> {
    store = await DiskBackupStore.open({ ...SMALL, folder });
  }

  async function expectSound(): Promise<void> {
    await store.close();
    await reopen();
    expect(store.damage).toEqual([]);
    expect(await store.read(3, 1, 1, 0, 99_999)).toEqual(BYTES);
  }

  it.each([0, 1, 4_000, 8_999])('a segment file cut to %d bytes of its segment', async (left) => {
    await cutFile(`${folder}/${SEGMENT}`, SEGMENT_HEADER_BYTES + left);
    await reopen();
    expect(store.damage).toMatchObject([
      { partition: 3, segment: 1, offset: left, fileOffset: SEGMENT_HEADER_BYTES + left },
    ]);
    expect(store.holding(3)).toMatchObject({
      completeEpoch: 1,
      segments: [{ heldBytes: 9_000, committedBytes: 9_000 }],
    });
    expect(await store.read(3, 1, 1, 0, 99_999)).toEqual(BYTES.subarray(0, left));
    expect((await store.read(3, 1, 1, left, 100)).length).toBe(0);
    await round(store, [3, { kind: 'repair', segment: 1, segmentEpoch: 1, offset: left, bytes: BYTES.subarray(left) }]);
    await expectSound();
  });

  it('a segment file cut inside its header, or gone', async () => {
    for (const harm of [(file: string) => cutFile(file, 10), (file: string) => rm(file)]) {
      await harm(`${folder}/${SEGMENT}`);
      await reopen();
      expect(store.damage[0]).toMatchObject({ partition: 3, segment: 1, offset: 0 });
      expect((await store.read(3, 1, 1, 0, 100)).length).toBe(0);
      await round(store, [3, { kind: 'repair', segment: 1, segmentEpoch: 1, offset: 0, bytes: BYTES }]);
      await expectSound();
      await store.close();
    }
  });

  it('a bit of a segment: handed out as it is, for the checksum of its batch', async () => {
    await flip(`${folder}/${SEGMENT}`, SEGMENT_HEADER_BYTES + 77, 3);
    await reopen();
    const read = await store.read(3, 1, 1, 0, 99_999);
    expect(read.findIndex((byte, i) => byte !== BYTES[i])).toBe(77);
    expect(read.length).toBe(9_000);
  });

  it.each([0, 9, 13, 18, 22, 25, 4_000])(
    'a bit of a segment header, at byte %d: reported and written anew',
    async (at) => {
      await flip(`${folder}/${SEGMENT}`, at);
      await reopen();
      expect(store.damage).toMatchObject([{ partition: 3, segment: 1, fileOffset: 0 }]);
      await expectSound();
    },
  );

  it.each([0, 1])('either manifest, damaged or gone: the other one says the same', async (which) => {
    for (const harm of [(file: string) => flip(file, 60), (file: string) => rm(file)]) {
      await harm(`${folder}/manifest.${which}`);
      await reopen();
      expect(store.damage).toEqual([]);
      expect(store.holding(3)).toMatchObject({ promised: OWNER, completeEpoch: 1 });
      expect(store.catalogue()).toEqual({ revision: 4, bytes: pattern(50, 4) });
      await store.close();
    }
  });

  it('both manifests, damaged or gone: segments and journal tell what is held, and no copy counts as complete', async () => {
    for (const harm of [(file: string) => flip(file, 60), (file: string) => rm(file)]) {
      for (const which of [0, 1]) await harm(`${folder}/manifest.${which}`);
      await reopen();
      expect(store.damage).toHaveLength(1);
      expect(store.damage[0]!.message).toContain('manifests');
      expect(store.holding(3)).toMatchObject({
        completeEpoch: 0,
        segments: [{ segment: 1, epoch: 1, heldBytes: 9_000 }],
      });
      expect(await store.read(3, 1, 1, 0, 99_999)).toEqual(BYTES);
      await store.close();
    }
  });

  it('both manifests gone after a kill: the journal is replayed over the segments', async () => {
    await reopen();
    await round(store, [3, append(9_000, pattern(100, 6))], [4, { kind: 'register' }]);
    folder = await scratch.copy(folder);
    await store.close();
    for (const which of [0, 1]) await rm(`${folder}/manifest.${which}`);
    await reopen();
    expect((await store.read(3, 1, 1, 9_000, 200)).length).toBe(100);
    expect(store.holding(4).promised).toEqual(OWNER);
    expect(store.holding(3).completeEpoch).toBe(0);
  });

  it('the journal gone after a kill: reported, and no copy counts as complete; after a close it is not missed', async () => {
    await rm(`${folder}/journal`, { recursive: true });
    await reopen();
    expect(store.damage).toEqual([]);
    await round(store, [3, append(9_000, pattern(100, 6))]);
    folder = await scratch.copy(folder);
    await store.close();
    await rm(`${folder}/journal`, { recursive: true });
    await reopen();
    expect(store.damage).toHaveLength(1);
    expect(store.holding(3)).toMatchObject({ completeEpoch: 0, segments: [{ heldBytes: 9_000 }] });
  });

  it('a segment file that is not held: moved aside and reported', async () => {
    await rename(`${folder}/${SEGMENT}`, `${folder}/segments/3/8-1.segment`);
    await reopen();
    expect(store.damage.map(({ segment }) => segment)).toEqual([1, 8]);
    expect(await readdir(`${folder}/segments/3`)).toEqual(['8-1.segment.unknown']);
  });

  it('files of another format: refused, and left as they are', async () => {
    for (const which of [0, 1]) await writeFile(`${folder}/manifest.${which}`, await manifestOfVersion(folder, 2));
    await expect(reopen()).rejects.toMatchObject({ code: 'INCOMPATIBLE' });
    await expect(reopen()).rejects.toMatchObject({ code: 'INCOMPATIBLE' });
  });
});

/** A manifest that checks and is of another version. */
async function manifestOfVersion(folder: string, version: number): Promise<Uint8Array> {
  const bytes = await readBytes(`${folder}/manifest.0`);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, version, true);
  view.setUint32(20, crc32(bytes.subarray(0, 20)), true);
  return bytes;
}
