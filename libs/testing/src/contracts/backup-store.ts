import { isNiobeError } from '@niobe/kernel';
import { MemoryBackupStore, type Attempt, type BackupStore, type Change, type Verdict } from '@niobe/replication';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from '../jest-globals.ts';

/** A backup store to test. */
export interface BackupStoreFixture {
  readonly store: BackupStore;
  /** Ends the store without closing it, as a kill does, and opens what is left. The twin goes on as it is. */
  restart(): Promise<BackupStore>;
  close(): Promise<void>;
}

const FIRST: Attempt = { epoch: 1, owner: 'shard-0@1111111111111111' };
const SECOND: Attempt = { epoch: 2, owner: 'shard-1@2222222222222222' };
const OK: Verdict = { kind: 'OK' };
const ROUND_BYTES = 64 * 1024;
const ROUND_CHANGES = 64;
const RUNS = 30;

/** What every `BackupStore` keeps: run on the twin and on the real one. */
export function backupStoreContract(title: string, make: () => Promise<BackupStoreFixture>): void {
  describe(`${title} keeps the contract of BackupStore`, () => {
    let fixture: BackupStoreFixture;
    let store: BackupStore;

    beforeEach(async () => {
      fixture = await make();
      store = fixture.store;
    });
    afterEach(async () => fixture?.close());

    async function restart(): Promise<void> {
      store = await fixture.restart();
    }

    /** One round of one partition. */
    async function round(attempt: Attempt, ...changes: Change[]): Promise<Verdict[]> {
      await store.prepare(ROUND_BYTES, ROUND_CHANGES);
      const verdicts = changes.map((change) => store.stage(7, attempt, change));
      await store.sync();
      return verdicts;
    }

    async function readAll(segment = 3, segmentEpoch = 1): Promise<string> {
      return new TextDecoder().decode(await store.read(7, segment, segmentEpoch, 0, ROUND_BYTES));
    }

    it('begins empty', () => {
      expect(store.holding(7)).toEqual({ partition: 7, promised: null, completeEpoch: 0, segments: [] });
      expect(store.partitions()).toEqual([]);
      expect(store.catalogue()).toBeNull();
      expect(store.damage).toEqual([]);
    });

    it('promises itself to higher epochs only, and again to the one it promised', async () => {
      expect(await round(SECOND, { kind: 'register' })).toEqual([OK]);
      expect(await round(SECOND, { kind: 'register' })).toEqual([OK]);
      expect(await round(FIRST, { kind: 'register' })).toEqual([{ kind: 'FENCED', promised: SECOND }]);
      const rival = { epoch: 2, owner: 'shard-0@3333333333333333' };
      expect(await round(rival, { kind: 'register' })).toEqual([{ kind: 'FENCED', promised: SECOND }]);
      await restart();
      expect(store.holding(7).promised).toEqual(SECOND);
      expect(await round(FIRST, { kind: 'register' })).toEqual([{ kind: 'FENCED', promised: SECOND }]);
    });

    it('obeys nobody but the attempt it promised', async () => {
      expect(await round(FIRST, append(0, 'a'))).toEqual([{ kind: 'FENCED', promised: null }]);
      await round(FIRST, { kind: 'register' }, append(0, 'a'));
      await round(SECOND, { kind: 'register' });
      const refused: Verdict = { kind: 'FENCED', promised: SECOND };
      const changes: Change[] = [append(1, 'b'), cut(0), free(), { kind: 'complete', completeEpoch: 1 }];
      expect(await round(FIRST, ...changes)).toEqual([refused, refused, refused, refused]);
      expect(await readAll()).toBe('a');
    });

    it('appends what follows, tells what is held where something is missing', async () => {
      await round(FIRST, { kind: 'register' });
      expect(await round(FIRST, append(0, 'abc'), append(3, 'def'))).toEqual([OK, OK]);
      expect(await round(FIRST, append(7, 'x'))).toEqual([{ kind: 'GAP', heldBytes: 6 }]);
      expect(await round(FIRST, { ...append(1, 'x'), segment: 4 })).toEqual([{ kind: 'GAP', heldBytes: 0 }]);
      await restart();
      expect(await readAll()).toBe('abcdef');
      expect(store.holding(7).segments).toEqual([{ segment: 3, epoch: 1, heldBytes: 6, committedBytes: 6 }]);
    });

    it('takes a piece that comes twice, or overlaps, once', async () => {
      await round(FIRST, { kind: 'register' }, append(0, 'abc'));
      expect(await round(FIRST, append(0, 'abc'), append(1, 'bcde'), append(0, 'a'))).toEqual([OK, OK, OK]);
      expect(await readAll()).toBe('abcde');
    });

    it('knows how much of a segment is whole batches', async () => {
      await round(FIRST, { kind: 'register' }, append(0, 'abc'), { ...append(3, 'de'), committedBytes: 0 });
      await restart();
      expect(store.holding(7).segments).toEqual([{ segment: 3, epoch: 1, heldBytes: 5, committedBytes: 3 }]);
      await round(FIRST, { ...append(5, ''), committedBytes: 5 });
      await restart();
      expect(store.holding(7).segments).toEqual([{ segment: 3, epoch: 1, heldBytes: 5, committedBytes: 5 }]);
    });

    it('cuts a segment and goes on from there', async () => {
      await round(FIRST, { kind: 'register' }, append(0, 'abcdef'), cut(2), append(2, 'XY'));
      expect(await round(FIRST, cut(9))).toEqual([{ kind: 'GAP', heldBytes: 4 }]);
      await restart();
      expect(await readAll()).toBe('abXY');
    });

    it('overwrites what is damaged, within what is held', async () => {
      await round(FIRST, { kind: 'register' }, append(0, 'abcdef'), repair(2, 'XY'));
      expect(await round(FIRST, repair(5, 'ZZ'))).toEqual([{ kind: 'GAP', heldBytes: 6 }]);
      await restart();
      expect(await readAll()).toBe('abXYef');
    });

    it('frees a segment of the epoch that is named', async () => {
      await round(FIRST, { kind: 'register' }, append(0, 'abc'));
      expect(await round(FIRST, { ...free(), segmentEpoch: 9 })).toEqual([OK]);
      expect(await readAll()).toBe('abc');
      expect(await round(FIRST, free(), free())).toEqual([OK, OK]);
      await restart();
      expect(store.holding(7).segments).toEqual([]);
      await expectNotFound(readAll());
    });

    it('uses a segment number again in a later epoch, but not two at a time', async () => {
      const again: Change = { ...append(0, 'xyz'), segmentEpoch: 2 };
      await round(FIRST, { kind: 'register' }, append(0, 'abcdef'));
      await round(SECOND, { kind: 'register' });
      expect(await round(SECOND, again)).toEqual([{ kind: 'GAP', heldBytes: 0 }]);
      expect(await round(SECOND, free(), again)).toEqual([OK, OK]);
      await restart();
      expect(await readAll(3, 2)).toBe('xyz');
      await expectNotFound(readAll(3, 1));
    });

    it('is complete at the epoch that was said, until another is', async () => {
      await round(FIRST, { kind: 'register' }, { kind: 'complete', completeEpoch: 1 });
      await round(SECOND, { kind: 'register' });
      await restart();
      expect(store.holding(7).completeEpoch).toBe(1);
      await round(SECOND, { kind: 'complete', completeEpoch: 0 });
      await restart();
      expect(store.holding(7).completeEpoch).toBe(0);
    });

    it('keeps the catalogue of the highest revision', async () => {
      const put = async (revision: number, text: string): Promise<boolean> => {
        await store.prepare(ROUND_BYTES, 1);
        const isStored = store.stageCatalogue({ revision, bytes: bytesOf(text) });
        await store.sync();
        return isStored;
      };
      expect([await put(5, 'five'), await put(4, 'four'), await put(2 ** 40, 'many')]).toEqual([true, false, true]);
      await restart();
      expect(store.catalogue()).toEqual({ revision: 2 ** 40, bytes: bytesOf('many') });
    });

    it('reads ranges, and no further than it holds', async () => {
      await round(FIRST, { kind: 'register' }, append(0, 'abcdef'));
      const text = async (offset: number, bytes: number): Promise<string> =>
        new TextDecoder().decode(await store.read(7, 3, 1, offset, bytes));
      expect([await text(1, 3), await text(4, 100), await text(6, 10), await text(60, 10)]).toEqual([
        'bcd',
        'ef',
        '',
        '',
      ]);
      await expectNotFound(store.read(7, 99, 1, 0, 10));
      await expectNotFound(store.read(8, 3, 1, 0, 10));
    });

    it('takes a round of nothing', async () => {
      await store.prepare(0, 0);
      await store.sync();
      expect(store.partitions()).toEqual([]);
    });

    it('counts what it holds', async () => {
      await round(FIRST, { kind: 'register' }, append(0, 'abc'), { ...append(0, 'de'), segment: 4 });
      expect(store.report()).toEqual({ partitions: 1, segments: 2, heldBytes: 5 });
    });
  });

  it(`${title} does what the twin does, through restarts`, async () => {
    await fc.assert(
      fc.asyncProperty(commands(), async (rounds) => compare(await make(), rounds)),
      { numRuns: RUNS },
    );
  });
}

interface Round {
  readonly changes: readonly { readonly partition: number; readonly attempt: Attempt; readonly change: Change }[];
  readonly isRestarted: boolean;
}

async function compare(fixture: BackupStoreFixture, rounds: readonly Round[]): Promise<void> {
  const twin = new MemoryBackupStore();
  let store = fixture.store;
  try {
    for (const { changes, isRestarted } of rounds) {
      await store.prepare(ROUND_BYTES, ROUND_CHANGES);
      const stage = (to: BackupStore): Verdict[] =>
        changes.map(({ partition, attempt, change }) => to.stage(partition, attempt, change));
      expect(stage(store)).toEqual(stage(twin));
      await store.sync();
      if (isRestarted) store = await fixture.restart();
      await expectSame(store, twin);
    }
  } finally {
    await fixture.close();
  }
}

async function expectSame(store: BackupStore, twin: BackupStore): Promise<void> {
  expect(store.partitions()).toEqual(twin.partitions());
  expect(store.report()).toEqual(twin.report());
  for (const partition of twin.partitions()) {
    const holding = twin.holding(partition);
    expect(store.holding(partition)).toEqual(holding);
    for (const { segment, epoch, heldBytes } of holding.segments) {
      const [held, expected] = await Promise.all(
        [store, twin].map((one) => one.read(partition, segment, epoch, 0, heldBytes)),
      );
      expect(Buffer.from(held!).equals(Buffer.from(expected!))).toBe(true);
    }
  }
}

/** Rounds of changes that mostly fit to what went before. */
function commands(): fc.Arbitrary<Round[]> {
  const attempt = fc.integer({ min: 1, max: 3 }).map((epoch) => ({ epoch, owner: `shard-${epoch % 2}@${epoch}` }));
  const name = { segment: fc.integer({ min: 1, max: 3 }), segmentEpoch: fc.constantFrom(1, 1, 1, 2) };
  const bytes = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 7, 100, 5_000))
    .map(([first, length]) => Uint8Array.from({ length }, (_, i) => (first + i * 7) & 255));
  const offset = fc.constantFrom(0, 0, 1, 7, 100, 107, 5_000);
  const change: fc.Arbitrary<Change> = fc.oneof(
    { weight: 2, arbitrary: fc.constant<Change>({ kind: 'register' }) },
    {
      weight: 8,
      arbitrary: fc.record({ ...name, offset, bytes, isWhole: fc.boolean() }).map(({ isWhole, ...rest }): Change => {
        const committedBytes = isWhole ? rest.offset + rest.bytes.length : 0;
        return { kind: 'append', ...rest, committedBytes };
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ ...name, offset, bytes }).map((rest): Change => ({ kind: 'repair', ...rest })),
    },
    {
      weight: 2,
      arbitrary: fc.record({ ...name, length: offset }).map((rest): Change => ({ kind: 'truncate', ...rest })),
    },
    { weight: 2, arbitrary: fc.record(name).map((rest): Change => ({ kind: 'free', ...rest })) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 0, max: 3 }).map((completeEpoch): Change => ({ kind: 'complete', completeEpoch })),
    },
  );
  const step = fc.record({ partition: fc.integer({ min: 0, max: 2 }), attempt, change });
  const round = fc.record({ changes: fc.array(step, { maxLength: 12 }), isRestarted: fc.boolean() });
  return fc.array(round, { maxLength: 12 });
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function append(offset: number, text: string): Extract<Change, { kind: 'append' }> {
  const committedBytes = offset + text.length;
  return { kind: 'append', segment: 3, segmentEpoch: 1, offset, committedBytes, bytes: bytesOf(text) };
}

function repair(offset: number, text: string): Change {
  return { kind: 'repair', segment: 3, segmentEpoch: 1, offset, bytes: bytesOf(text) };
}

function cut(length: number): Change {
  return { kind: 'truncate', segment: 3, segmentEpoch: 1, length };
}

function free(): Extract<Change, { kind: 'free' }> {
  return { kind: 'free', segment: 3, segmentEpoch: 1 };
}

async function expectNotFound(promise: Promise<unknown>): Promise<void> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(isNiobeError(error, 'NOT_FOUND')).toBe(true);
}
