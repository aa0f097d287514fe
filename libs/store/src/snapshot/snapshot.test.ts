import { describe, expect, it } from '@jest/globals';
import type { CompiledSchema, ProjectedColumn } from '@niobe/cells';
import { ByteWriter, isNiobeError, seededRandom, type Random } from '@niobe/kernel';
import fc from 'fast-check';
import { item, ITEMS, LOOSE, MIB, newRig, NUMBERS, type Rig, type Subject } from '../../test/harness.ts';
import { Arena } from '../arena.ts';
import { SCAN_END } from '../cell-reader.ts';
import type { PartitionStore } from '../partition-store.ts';
import { diffSnapshots } from './diff.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotPolicy } from './open-snapshots.ts';
import type { Snapshot } from './snapshot.ts';

const EXPIRED = expect.objectContaining({ code: 'SNAPSHOT_EXPIRED' });

function rigWith(policy: Partial<SnapshotPolicy>, arenaBytes = 24 * MIB): Rig {
  const arena = new Arena({ bytes: arenaBytes, snapshots: policy });
  const rig = newRig({ partial: { arena } });
  return { ...rig, arena };
}

/** Version and record of every cell of a schema in a snapshot, by id. */
function cellsIn(reader: SnapshotReader, schema: CompiledSchema = ITEMS): Map<number, string> {
  const cells = new Map<number, string>();
  for (let cursor = 0; cursor !== SCAN_END;) {
    cursor = reader.scan(schema.id, null, cursor, 1000, (slot) => {
      const id = reader.idOf(slot);
      if (cells.has(id) || reader.slotOfId(id) !== slot) throw new Error(`${id} is visited twice, or not found`);
      cells.set(id, cellAt(reader, reader.schemas.get(schema.id)!, slot));
    });
  }
  return cells;
}

/** The same of what the store holds now. */
function cellsNow({ store }: Subject): Map<number, string> {
  const cells = new Map<number, string>();
  for (let cursor = 0; cursor !== SCAN_END;) {
    cursor = store.scan(ITEMS.id, null, cursor, 1000, 1000, (slot) => {
      cells.set(store.idOf(slot), cellAt(store, ITEMS, slot));
    });
  }
  return cells;
}

function cellAt(of: PartitionStore | SnapshotReader, schema: CompiledSchema, slot: number): string {
  const record = schema.decode(of.bytes, of.bodyStart(slot), of.bodyBytes(slot));
  return `${of.versionEpoch(slot)}.${of.versionSeq(slot)} ${JSON.stringify([record['label'], record['count']])}`;
}

/** A store with 4 MiB beside the reserve, so that what is freed is soon written again. */
function smallRig(): Rig {
  const rig = newRig();
  for (const bytes of [8 * MIB, 4 * MIB]) expect(rig.arena.open(999, bytes, 'write', 0)).not.toBeNull();
  return rig;
}

/** Overwrites, deletes and cleans at random. */
function churn(rig: Rig, random: Random, batches: number): void {
  for (let i = 0; i < batches; i++) {
    rig.subject.batch(() => {
      for (let k = 0; k < 12; k++) {
        const key = `${random.below(300)}`;
        if (random.below(4) === 0) rig.subject.delete(ITEMS, key);
        else rig.subject.put(ITEMS, key, item('x', random.below(1000), random.below(16_000)));
      }
    });
    rig.backup.ship();
    while (rig.arena.pressure > 0 && rig.subject.store.clean(1)) rig.backup.ship();
  }
}

/** A snapshot beside what the store held when it was taken. */
interface Taken {
  readonly snapshot: Snapshot;
  readonly reader: SnapshotReader;
  readonly cells: Map<number, string>;
  readonly emptiedSegments: number;
}

function take({ subject }: Rig): Taken {
  const snapshot = subject.store.snapshot();
  const reader = SnapshotReader.open(structuredClone(snapshot.share()));
  return { snapshot, reader, cells: cellsNow(subject), emptiedSegments: subject.store.counts.emptiedSegments };
}

function numbersOf(column: ProjectedColumn['values']): Float64Array {
  if (column.kind !== 'numbers') throw new Error(`a column of ${column.kind}`);
  return column.values;
}

describe('a snapshot', () => {
  it('shows the cells of its moment while writes and the cleaner go on, and lets all memory go', () => {
    const step = fc.constantFrom('take', 'take', 'close', 'write', 'write');
    let comparedAfterCleaning = 0;
    fc.assert(
      fc.property(fc.integer(), fc.array(step, { minLength: 15, maxLength: 30 }), (seed, steps) => {
        const random = seededRandom(seed);
        const rig = smallRig();
        const { arena, subject } = rig;
        const { freeBytes } = arena;
        churn(rig, random, 60);
        let open: Taken[] = [];
        for (const what of steps) {
          if (what === 'take' && open.length < 6) open.push(take(rig));
          else if (what === 'close') open.splice(random.below(open.length), 1)[0]?.snapshot.close();
          else churn(rig, random, 4);
          open = open.filter(({ snapshot }) => snapshot.isOpen);
          for (const { reader, cells, emptiedSegments } of open) {
            expect(cellsIn(reader)).toEqual(cells);
            if (subject.store.counts.emptiedSegments > emptiedSegments + 3) comparedAfterCleaning += 1;
          }
        }
        for (const { snapshot } of open) snapshot.close();
        subject.store.audit();
        expect([arena.snapshots.heldPages, arena.snapshots.heldBytes]).toEqual([0, 0]);
        subject.store.close();
        expect([arena.slotPool.takenPages, arena.freeBytes]).toEqual([0, freeBytes]);
      }),
      { numRuns: 10 },
    );
    expect(comparedAfterCleaning).toBeGreaterThan(10);
  });

  it('is read by id and in parts', () => {
    const { subject } = newRig();
    const ids: number[] = [];
    subject.batch(() => {
      for (let i = 0; i < 3000; i++) ids.push(subject.create(LOOSE, item(`n${i}`, i)));
      subject.put(NUMBERS, 7, { value: 1 });
    });
    const snapshot = subject.store.snapshot();
    subject.batch(() => subject.remove(ids[5]!));
    const reader = snapshot.reader();
    const out = new ByteWriter(MIB);
    expect(reader.get(ids[5]!, out)).toBe(true);
    expect(LOOSE.decode(out.buffer, 0, out.length)).toEqual(item('n5', 5));
    expect(reader.get(ids[5]! + 2 ** 32, out)).toBe(false);
    expect(reader.get(2 ** 32 - 1, out)).toBe(false);
    expect(cellsIn(reader, LOOSE).size).toBe(3000);
    expect(cellsIn(reader, NUMBERS).size).toBe(1);
    expect(() => reader.scan(LOOSE.id, null, -1, 1, () => undefined)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST' }),
    );
  });

  it('is projected into columns, part by part', () => {
    const { subject } = newRig();
    const expected = new Map<number, number>();
    subject.batch(() => {
      for (let i = 0; i < 2500; i++) {
        const id = subject.create(LOOSE, item('x', i));
        if (i >= 700) expected.set(id, i);
      }
    });
    const reader = subject.store.snapshot().reader();
    subject.batch(() => subject.remove(expected.keys().next().value!));
    const projection = LOOSE.compileProjection([{ path: 'count' }], { rowsMax: 600, bytesMax: MIB });
    const atLeast700 = LOOSE.compilePredicate([LOOSE.path('count').clause('ge', 700)]);
    const ids = new Float64Array(600);
    const found = new Map<number, number>();
    for (let cursor = 0; cursor !== SCAN_END;) {
      projection.clear();
      cursor = reader.project(LOOSE.id, atLeast700, cursor, projection, ids);
      const counts = projection.columns[0]!.values;
      for (let row = 0; row < projection.rows; row++) found.set(ids[row]!, numbersOf(counts)[row]!);
    }
    expect(found).toEqual(expected);
  });

  it('judges expiry by its own time', () => {
    const { subject, clock } = newRig();
    const expiresS = Math.floor(clock.nowMs() / 1000) + 10;
    subject.batch(() => subject.put(ITEMS, 'a', item('a', 1), expiresS));
    const before = subject.store.snapshot();
    clock.advance(20_000);
    const after = subject.store.snapshot();
    expect([cellsIn(before.reader()).size, cellsIn(after.reader()).size]).toEqual([1, 0]);
  });

  it('ends: whoever reads on is told, before its memory is given away', () => {
    const { subject } = newRig();
    subject.batch(() => subject.put(ITEMS, 'a', item('a', 1)));
    const snapshot = subject.store.snapshot();
    const reader = SnapshotReader.open(structuredClone(snapshot.share()));
    const whileScanning = (): number => reader.scan(ITEMS.id, null, 0, 1e9, () => snapshot.close());
    expect(whileScanning).toThrow(EXPIRED);
    expect(() => reader.read(() => 1)).toThrow(EXPIRED);
    expect(() => reader.read(() => JSON.parse('{'))).toThrow(EXPIRED);
    expect(() => snapshot.share()).toThrow(EXPIRED);
    expect(() => snapshot.reader()).toThrow(EXPIRED);
    snapshot.close();
  });

  it('passes on what a reader throws while it is open', () => {
    const { subject } = newRig();
    const reader = subject.store.snapshot().reader();
    expect(() => reader.read(() => JSON.parse('{'))).toThrow(SyntaxError);
  });
});

describe('the policy of snapshots', () => {
  it('leaves it to the cleaner to make room while snapshots hold what was released', () => {
    const rig = smallRig();
    churn(rig, seededRandom(3), 40);
    const snapshot = rig.subject.store.snapshot();
    const random = seededRandom(4);
    while (snapshot.isOpen && rig.arena.snapshots.heldBytes === 0) churn(rig, random, 1);
    expect(snapshot.isOpen).toBe(true);
    const { pressure, freeBytes } = rig.arena;
    snapshot.close();
    expect(rig.arena.freeBytes).toBeGreaterThan(freeBytes);
    expect(rig.arena.pressure).toBeLessThan(pressure);
  });

  it.each([{ maxSnapshots: 0 }, { maxAgeMs: NaN }])('is refused where it allows none: %p', (policy) => {
    expect(() => rigWith(policy)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }));
  });

  it('refuses one too many, with a hint', () => {
    const { subject } = rigWith({ maxSnapshots: 2 });
    const first = subject.store.snapshot();
    subject.store.snapshot();
    expect(() => subject.store.snapshot()).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_SNAPSHOTS', retry: 'later', details: { retryAfterMs: 250 } }),
    );
    first.close();
    expect(subject.store.snapshot().isOpen).toBe(true);
  });

  it('or ends the oldest', () => {
    const { subject, arena } = rigWith({ maxSnapshots: 2, whenMany: 'evict' });
    const [first, second, third] = [0, 1, 2].map(() => subject.store.snapshot());
    expect([first!.isOpen, second!.isOpen, third!.isOpen, arena.snapshots.evicted]).toEqual([false, true, true, 1]);
  });

  it('ends those that are too old', () => {
    const { subject, clock } = rigWith({ maxAgeMs: 1000 });
    const old = subject.store.snapshot();
    clock.advance(900);
    const young = subject.store.snapshot();
    clock.advance(100);
    subject.store.clean(1);
    expect([old.isOpen, young.isOpen]).toEqual([false, true]);
  });

  it.each(['refuse', 'evict'] as const)('never fills the arena: the oldest give way (%s)', (whenMany) => {
    const rig = rigWith({ whenMany });
    const { subject, backup, arena } = rig;
    const snapshots = [];
    let full = 0;
    for (let round = 0; round < 40; round++) {
      if (round % 4 === 0) snapshots.push(subject.store.snapshot());
      for (let key = 0; key < 200; key++) {
        try {
          subject.batch(() => subject.put(ITEMS, `${key}`, item('x', round, 20_000)));
        } catch (error) {
          if (!isNiobeError(error, 'STORE_FULL')) throw error;
          full += 1;
        }
        backup.ship();
        while (arena.pressure > 0 && subject.store.clean(1)) backup.ship();
      }
    }
    expect(full).toBe(0);
    expect(snapshots.some(({ isOpen }) => !isOpen)).toBe(true);
    expect(cellsIn(subject.store.snapshot().reader()).size).toBe(200);
    subject.store.audit();
  });
});

/** The diff in parts must be what the cells of both say. */
function expectDiff(first: Taken, second: Taken, limitIds: number): void {
  const found = { changed: [] as number[], added: [] as number[], deleted: [] as number[] };
  for (let cursor = 0; cursor !== SCAN_END;) {
    const part = diffSnapshots(first.reader, second.reader, cursor, limitIds);
    for (const kind of ['changed', 'added', 'deleted'] as const) found[kind].push(...part[kind]);
    ({ cursor } = part);
  }
  const [before, after] = [first.cells, second.cells];
  const both = [...after.keys()].filter((id) => before.has(id));
  expect(sorted(found.added)).toEqual(sorted([...after.keys()].filter((id) => !before.has(id))));
  expect(sorted(found.deleted)).toEqual(sorted([...before.keys()].filter((id) => !after.has(id))));
  expect(sorted(found.changed)).toEqual(sorted(both.filter((id) => before.get(id) !== after.get(id))));
}

function sorted(ids: readonly number[]): number[] {
  return ids.toSorted((a, b) => a - b);
}

describe('the difference of two snapshots', () => {
  it('is what was written between them', () => {
    const limits = fc.constantFrom(1, 100, 1e6);
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 12 }), limits, (seed, batches, limit) => {
        const rig = smallRig();
        const random = seededRandom(seed);
        churn(rig, random, 60);
        const first = take(rig);
        churn(rig, random, batches);
        fc.pre(first.snapshot.isOpen);
        expectDiff(first, take(rig), limit);
      }),
      { numRuns: 15 },
    );
  });

  it('is nothing where cells were only moved by the cleaner', () => {
    const { arena, subject } = smallRig();
    const { store } = subject;
    const random = seededRandom(9);
    for (let i = 0; arena.pressure < 0.9; i++)
      subject.batch(() => subject.put(ITEMS, `${random.below(200)}`, item('x', i, 8000)));
    const first = store.snapshot().reader();
    while (store.counts.movedBytes === 0) expect(store.clean(1)).toBe(true);
    const second = store.snapshot().reader();
    expect(first.pageBase(0)).not.toBe(second.pageBase(0));
    const { changed, added, deleted } = diffSnapshots(first, second);
    expect([changed.length, added.length, deleted.length]).toEqual([0, 0, 0]);
  });

  it('passes over pages that nobody wrote', () => {
    const { subject } = newRig();
    subject.batch(() => {
      for (let i = 0; i < 5000; i++) subject.put(NUMBERS, i, { value: i });
    });
    const first = subject.store.snapshot().reader();
    subject.batch(() => subject.put(NUMBERS, 2500, { value: 0 }));
    const second = subject.store.snapshot().reader();
    const differing = Array.from({ length: second.pages }, (_, page) => first.pageBase(page) !== second.pageBase(page));
    expect(differing.filter(Boolean)).toHaveLength(1);
    expect(diffSnapshots(first, second).changed).toHaveLength(1);
  });

  it('needs both to be open', () => {
    const { subject } = newRig();
    const [first, second] = [subject.store.snapshot(), subject.store.snapshot()];
    const readers = [first.reader(), second.reader()] as const;
    first.close();
    expect(() => diffSnapshots(...readers)).toThrow(EXPIRED);
  });
});
