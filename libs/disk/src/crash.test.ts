import { cp, rm, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { append, cutFile, flip, OWNER, pattern, readBytes, round, Scratch, SMALL } from '../fixtures/scratch.ts';
import { DiskBackupStore } from './index.ts';
import { readPartHeader, ROUND_HEADER_BYTES } from './journal-format.ts';
import { findRounds, type RoundPlace } from './journal-scan.ts';
import { BLOCK_BYTES } from './limits.ts';

const PARTITIONS = 4;
const ROUNDS = 40;
const RUNS = 30;

jest.setTimeout(60_000);
const PART = 'journal/part-0';
const COMPLETE = { kind: 'complete', completeEpoch: 1 } as const;
/** Rounds before those that append. */
const FIRST_ROUNDS = 2;
/** Room for all rounds in one buffer and one part, so that a kill finds all of them in the journal and none in files. */
const ROOMY = { ...SMALL, partBytes: 512 * 1024, roundBufferBytes: 512 * 1024 };

/** Bytes of round `n`, for each partition, and where they go. */
const lengthOf = (n: number): number => 1 + ((n * 37) % 900);
const offsetOf = (n: number): number => Array.from({ length: n }, (_, i) => lengthOf(i)).reduce((a, b) => a + b, 0);

/** All bytes of each partition's only segment. */
const SEGMENTS = Array.from({ length: PARTITIONS }, (_, p) =>
  Buffer.concat(Array.from({ length: ROUNDS }, (__, n) => pattern(lengthOf(n), n * PARTITIONS + p))),
);

/** A folder as a kill left it after many rounds, all of them in one journal part. */
/** As after a power loss: the mark of the last synced round had not reached the disk. */
async function forgetMark(folder: string): Promise<void> {
  await rm(`${folder}/journal/synced`);
}

/** A last round of which only a part was written. */
async function tear(folder: string, { fileOffset, bodyBytes }: RoundPlace): Promise<void> {
  await forgetMark(folder);
  await flip(`${folder}/${PART}`, fileOffset + ROUND_HEADER_BYTES + bodyBytes - 1);
}

describe('A journal after a crash', () => {
  let scratch: Scratch;
  let folder: string;
  let places: RoundPlace[];
  const opened: DiskBackupStore[] = [];
  const folders = new Map<DiskBackupStore, string>();
  const folderOf = (store: DiskBackupStore): string => folders.get(store)!;

  beforeAll(async () => {
    scratch = await Scratch.make();
    const store = await DiskBackupStore.open({ ...ROOMY, folder: scratch.path('store') });
    for (const kind of ['register', 'complete'] as const)
      await round(
        store,
        ...Array.from({ length: PARTITIONS }, (_, p) => [p, kind === 'register' ? { kind } : COMPLETE] as const),
      );
    for (let n = 0; n < ROUNDS; n++)
      await round(
        store,
        ...Array.from(
          { length: PARTITIONS },
          (_, p) => [p, append(offsetOf(n), pattern(lengthOf(n), n * PARTITIONS + p))] as const,
        ),
      );
    folder = await scratch.copy(scratch.path('store'));
    await store.close();
    const { identity } = readPartHeader(await readBytes(`${folder}/${PART}`))!;
    places = await findRounds(`${folder}/journal`, 1, identity);
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });
  afterAll(async () => scratch.remove());

  /** Opens a copy of the folder after something was done to it. */
  async function reopen(harm: (copy: string) => Promise<void>): Promise<DiskBackupStore> {
    const copy = await scratch.copy(folder);
    await harm(copy);
    const store = await DiskBackupStore.open({ ...ROOMY, folder: copy });
    opened.push(store);
    folders.set(store, copy);
    return store;
  }

  /** Rounds, registration not counted, of which every byte is held and right. */
  async function expectRounds(store: DiskBackupStore, whole: number): Promise<void> {
    for (let p = 0; p < PARTITIONS; p++) {
      expect(store.holding(p).promised).toEqual(OWNER);
      const expected = SEGMENTS[p]!.subarray(0, offsetOf(whole));
      const bytes = whole === 0 ? expected : await store.read(p, 1, 1, 0, expected.length);
      expect(Buffer.compare(bytes, expected)).toBe(0);
    }
  }

  /** Bytes that are held are right, or zero where `mayLack`. */
  async function expectNothingWrong(store: DiskBackupStore, mayLack: boolean): Promise<void> {
    for (let p = 0; p < PARTITIONS; p++) {
      const isHeld = store.holding(p).segments.length > 0;
      const bytes = isHeld ? await store.read(p, 1, 1, 0, offsetOf(ROUNDS)) : new Uint8Array(0);
      const right = SEGMENTS[p]!;
      expect(bytes.findIndex((byte, i) => byte !== right[i] && !(mayLack && byte === 0))).toBe(-1);
    }
  }

  const endOf = ({ fileOffset, bodyBytes }: RoundPlace): number => fileOffset + ROUND_HEADER_BYTES + bodyBytes;

  it('has every round where nothing happened to it', async () => {
    const store = await reopen(async () => undefined);
    expect(store.damage).toEqual([]);
    expect(places).toHaveLength(FIRST_ROUNDS + ROUNDS);
    await expectRounds(store, ROUNDS);
    await store.close();
  });

  it('cut anywhere: has every round before the cut, no wrong byte, and calls it no damage', async () => {
    const last = endOf(places.at(-1)!);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: endOf(places[1]!), max: last }), fc.boolean(), async (cut, isZeroed) => {
        const store = await reopen(async (copy) => {
          await forgetMark(copy);
          const bytes = await readBytes(`${copy}/${PART}`);
          if (isZeroed) await writeFile(`${copy}/${PART}`, bytes.fill(0, cut));
          else await cutFile(`${copy}/${PART}`, cut);
        });
        expect(store.damage).toEqual([]);
        await expectRounds(store, places.filter((place) => endOf(place) <= cut).length - FIRST_ROUNDS);
        await expectNothingWrong(store, false);
        await store.close();
      }),
      { numRuns: RUNS },
    );
  });

  it('with blocks of the last round missing: has all rounds before, and calls it no damage', async () => {
    const long = await DiskBackupStore.open({ ...SMALL, folder: scratch.path('long') });
    await round(long, [0, { kind: 'register' }], [0, append(0, pattern(100, 1))]);
    await round(long, [0, append(100, pattern(40_000, 2))]);
    const left = await scratch.copy(scratch.path('long'));
    await forgetMark(left);
    await long.close();
    const bytes = await readBytes(`${left}/${PART}`);
    for (let block = 2; block <= 11; block++) {
      const copy = await scratch.copy(left);
      const from = block * BLOCK_BYTES;
      await writeFile(`${copy}/${PART}`, Uint8Array.from(bytes).fill(0, from, from + BLOCK_BYTES));
      const store = await DiskBackupStore.open({ ...SMALL, folder: copy });
      expect(store.damage).toEqual([]);
      expect(await store.read(0, 1, 1, 0, 99_999)).toEqual(pattern(100, 1));
      await store.close();
    }
  });

  it('a bit flipped before the last round: reported, and never a wrong byte', async () => {
    const from = places[0]!.fileOffset;
    const to = places.at(-1)!.fileOffset;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: from, max: to - 1 }), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        const place = places.findLast(({ fileOffset }) => fileOffset <= at)!;
        const store = await reopen((copy) => flip(`${copy}/${PART}`, at, bit));
        const isPadding = at >= endOf(place);
        expect(store.damage.length > 0).toBe(!isPadding);
        for (const { file } of store.damage) expect(file).toContain(PART);
        // Where it is not known what was lost, no copy may be used alone; a place that is known is repaired.
        const isKnown = store.damage.every(({ offset }) => offset !== null);
        for (let p = 0; p < PARTITIONS; p++) expect(store.holding(p).completeEpoch).toBe(isKnown ? 1 : 0);
        await expectNothingWrong(store, true);
        await store.close();
      }),
      { numRuns: RUNS },
    );
  });

  it('a bit flipped in the payload of a segment: named by partition, segment and offset, and everything else is there', async () => {
    const n = 7;
    const at = endOf(places[FIRST_ROUNDS + n]!) - 1;
    const store = await reopen((copy) => flip(`${copy}/${PART}`, at));
    const partition = PARTITIONS - 1;
    expect(store.damage).toMatchObject([{ partition, segment: 1, offset: offsetOf(n) }]);
    expect(store.holding(partition).segments[0]!.heldBytes).toBe(offsetOf(ROUNDS));
    await expectNothingWrong(store, true);
    expect(await store.read(partition, 1, 1, offsetOf(n), lengthOf(n))).toEqual(new Uint8Array(lengthOf(n)));
    const bytes = pattern(lengthOf(n), n * PARTITIONS + partition);
    await round(store, [partition, { kind: 'repair', segment: 1, segmentEpoch: 1, offset: offsetOf(n), bytes }]);
    await expectRounds(store, ROUNDS);
    await store.close();
  });

  it('a bit flipped in the last round: reported, because the round was synced, and its place counts as held', async () => {
    const last = places.at(-1)!;
    const store = await reopen((copy) => flip(`${copy}/${PART}`, endOf(last) - 1));
    // Once where the journal has it, once where the segment's file lacks it.
    const place = { partition: PARTITIONS - 1, segment: 1, offset: offsetOf(ROUNDS - 1) };
    expect(store.damage).toMatchObject([place, place]);
    expect(store.holding(PARTITIONS - 1).segments[0]!.heldBytes).toBe(offsetOf(ROUNDS));
    await expectNothingWrong(store, true);
    await store.close();
  });

  it('the header of the last round damaged: reported, and no copy counts as complete', async () => {
    const last = places.at(-1)!;
    const store = await reopen((copy) => flip(`${copy}/${PART}`, last.fileOffset + 8));
    expect(store.damage).toHaveLength(1);
    for (let p = 0; p < PARTITIONS; p++) expect(store.holding(p).completeEpoch).toBe(0);
    await store.close();
  });

  it('goes on after a torn round, which stays dead when what came after it is replayed', async () => {
    const torn = places.at(-1)!;
    let store = await reopen((copy) => tear(copy, torn));
    for (let times = 0; times < 3; times++) {
      await expectNothingWrong(store, false);
      const { heldBytes } = store.holding(PARTITIONS - 1).segments[0]!;
      expect(heldBytes).toBe(offsetOf(ROUNDS - 1) + times);
      const next = SEGMENTS[PARTITIONS - 1]!.subarray(heldBytes, heldBytes + 1);
      await round(store, [PARTITIONS - 1, append(heldBytes, next)]);
      const left = await scratch.copy(folderOf(store));
      store = await DiskBackupStore.open({ ...ROOMY, folder: left });
      opened.push(store);
      folders.set(store, left);
      expect(store.damage).toEqual([]);
    }
  });

  it('does not bring back what was cut from a torn round', async () => {
    const torn = places.at(-1)!;
    const store = await reopen((copy) => tear(copy, torn));
    expect(store.holding(0).segments[0]!.heldBytes).toBe(offsetOf(ROUNDS));
    await round(store, [0, { kind: 'truncate', segment: 1, segmentEpoch: 1, length: offsetOf(ROUNDS - 1) }]);
    const again = await DiskBackupStore.open({ ...ROOMY, folder: await scratch.copy(folderOf(store)) });
    opened.push(again);
    expect(again.holding(0).segments[0]!.heldBytes).toBe(offsetOf(ROUNDS - 1));
  });

  it('is replayed to the same end however often the opening is killed', async () => {
    const store = await reopen(async () => undefined);
    const half = await scratch.copy(folderOf(store));
    // A kill before the checkpoint at the end of an opening: segment files are ahead, the manifests are not.
    for (const which of [0, 1]) await cp(`${folder}/manifest.${which}`, `${half}/manifest.${which}`);
    const again = await DiskBackupStore.open({ ...ROOMY, folder: half });
    opened.push(again);
    expect(again.damage).toEqual([]);
    await expectRounds(again, ROUNDS);
  });
});
