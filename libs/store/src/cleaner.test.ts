import { describe, expect, it } from '@jest/globals';
import { isNiobeError, ManualClock, seededRandom, systemClock } from '@niobe/kernel';
import { Backup, item, ITEMS, MIB, newRig, NUMBERS, optionsOf, Subject } from '../test/harness.ts';
import { Arena } from './arena.ts';
import { ArenaCleaner } from './arena-cleaner.ts';
import { entryBytesAt, KIND, kindAt, WORD_BYTES } from './entry.ts';
import { SEGMENT_BYTES_MIN } from './limits.ts';
import { PartitionStore } from './partition-store.ts';

/** Many partitions that share a small arena, with a backup each. */
class Shard {
  readonly arena: Arena;
  readonly subjects: Subject[] = [];
  readonly backups: Backup[] = [];
  readonly cleaner = new ArenaCleaner(() => this.subjects.map(({ store }) => store), systemClock);
  storeFull = 0;

  constructor(arenaBytes: number, partitions: number) {
    this.arena = new Arena({ bytes: arenaBytes });
    const clock = new ManualClock();
    for (let partition = 0; partition < partitions; partition++) {
      const backup = new Backup();
      const store = new PartitionStore({ ...optionsOf(this.arena, clock, backup, 1), partition });
      backup.store = store;
      this.backups.push(backup);
      this.subjects.push(new Subject(store));
    }
  }

  /** Writes a cell, cleaning as the owner does: a slice after each batch, harder as memory gets scarce. */
  put(key: number, count: number, bytes: number): void {
    const partition = key % this.subjects.length;
    const subject = this.subjects[partition]!;
    try {
      subject.batch(() => subject.put(ITEMS, `${key}`, item('x', count, bytes)));
    } catch (error) {
      if (!isNiobeError(error, 'STORE_FULL')) throw error;
      this.storeFull += 1;
    }
    this.work(partition);
  }

  work(partition: number): void {
    this.backups[partition]!.ship();
    for (let slices = Math.ceil(this.arena.pressure * 8); slices > 0 && this.cleaner.clean(1); slices--) this.ship();
  }

  ship(): void {
    for (const backup of this.backups) backup.ship();
  }

  audit(): void {
    for (const { store } of this.subjects) store.audit();
  }
}

/** Fills the shard to `share` of what writers may use, then overwrites it all `rounds` times at random. */
function overwrite(shard: Shard, share: number, cellBytes: number, rounds: number): Map<number, number> {
  const usable = shard.arena.capacityBytes - shard.arena.reserveBytes;
  const cells = Math.floor((usable * share) / (cellBytes + 80));
  const counts = new Map<number, number>();
  const random = seededRandom(7);
  for (let key = 0; key < cells; key++) shard.put(key, 0, cellBytes);
  for (let i = 0; i < cells * rounds; i++) {
    const key = random.below(cells);
    const before = shard.storeFull;
    shard.put(key, i, cellBytes);
    if (shard.storeFull === before) counts.set(key, i);
  }
  return counts;
}

function checkCounts(shard: Shard, counts: ReadonlyMap<number, number>): void {
  const wrong = [...counts].filter(([key, count]) => {
    const subject = shard.subjects[key % shard.subjects.length]!;
    return subject.get(ITEMS, `${key}`)?.['count'] !== count;
  });
  expect(wrong).toEqual([]);
}

/** Takes memory until the cleaner works hard, but writers find some. */
function makeScarce(arena: Arena): void {
  while (arena.pressure < 0.5) expect(arena.open(999, SEGMENT_BYTES_MIN, 'write', 0)).not.toBeNull();
}

/** Seqs of the cells in a segment, in its order. */
function cellSeqs(bytes: Uint8Array): number[] {
  const words = new Uint32Array(bytes.slice().buffer, 0, bytes.length / WORD_BYTES);
  const seqs: number[] = [];
  for (let at = 0; at < words.length; at += entryBytesAt(words, at) / WORD_BYTES)
    if (kindAt(words, at) === KIND.cell) seqs.push(words[at + 3]!);
  return seqs;
}

const TOMBSTONE_BYTES = 16;

describe('the cleaner', () => {
  it.each([0.5, 0.75])('keeps up with constant overwriting of 32 partitions in 128 MiB at utilisation %d', (share) => {
    const shard = new Shard(128 * MIB, 32);
    const counts = overwrite(shard, share, 12_000, 1.5);
    expect(shard.storeFull).toBe(0);
    checkCounts(shard, counts);
    shard.audit();
  });

  it('at 90 % may refuse writes, but never locks up: after deletes there is room', () => {
    const shard = new Shard(128 * MIB, 32);
    const counts = overwrite(shard, 0.9, 12_000, 0.25);
    checkCounts(shard, counts);
    for (const [key] of counts) {
      if (key % 4 !== 0) continue;
      const subject = shard.subjects[key % 32]!;
      subject.batch(() => subject.delete(ITEMS, `${key}`));
      shard.work(key % 32);
    }
    while (shard.cleaner.clean(1)) shard.ship();
    shard.storeFull = 0;
    for (let key = 0; key < 1000; key += 4) shard.put(key, 1, 12_000);
    expect(shard.storeFull).toBe(0);
    shard.audit();
  });

  it('gives full memory back once cells are deleted, though deletes need memory', () => {
    const shard = new Shard(24 * MIB, 4);
    let keys = 0;
    while (shard.storeFull === 0) shard.put(keys++, 1, 20_000);
    for (let key = 0; key < keys; key++) {
      const subject = shard.subjects[key % 4]!;
      subject.batch(() => subject.delete(ITEMS, `${key}`));
    }
    while (shard.cleaner.clean(1)) shard.ship();
    shard.ship();
    shard.storeFull = 0;
    for (let key = 0; key < 300; key++) shard.put(key, 1, 20_000);
    expect(shard.storeFull).toBe(0);
    shard.audit();
  });

  it('does not work harder while backups are slow to confirm', () => {
    const { subject, backup, arena } = newRig({ arenaBytes: 32 * MIB });
    for (let i = 0; i < 150; i++) subject.batch(() => subject.put(ITEMS, `${i % 20}`, item('x', i, 100_000)));
    let slices = 0;
    while (subject.store.clean(1)) slices += 1;
    expect(slices).toBeGreaterThan(0);
    expect(arena.report().retired).toBeGreaterThan(8 * MIB);
    expect(arena.pressure).toBeLessThan(0.5);
    expect(subject.store.clean(1)).toBe(false);
    const free = arena.freeBytes;
    backup.ship();
    expect(arena.freeBytes).toBeGreaterThan(free + 8 * MIB);
    expect(arena.report().retired).toBe(0);
  });

  it('moves nothing while there is plenty of memory', () => {
    const { subject, backup } = newRig({ arenaBytes: 64 * MIB });
    for (let i = 0; i < 100; i++) subject.batch(() => subject.put(ITEMS, `${i % 30}`, item('x', i, 50_000)));
    while (subject.store.clean(1)) backup.ship();
    expect(subject.store.counts.movedBytes).toBe(0);
    expect(subject.store.counts.emptiedSegments).toBeGreaterThan(0);
    subject.store.audit();
  });

  it('keeps tombstones until their slot is used again, so that the deleted stay deleted', () => {
    const { subject, backup, arena, clock } = newRig({ arenaBytes: 24 * MIB });
    subject.batch(() => {
      for (let i = 0; i < 100; i++) subject.put(ITEMS, `gone ${i}`, item('x', i));
    });
    subject.batch(() => {
      for (let i = 0; i < 100; i++) subject.delete(ITEMS, `gone ${i}`);
    });
    const put = (i: number): unknown => subject.batch(() => subject.put(ITEMS, `${i % 7}`, item('x', i, 100_000)));
    for (let i = 0; i < 21; i++) put(i);
    while (subject.store.clean(1)) backup.ship();
    makeScarce(arena);
    for (let i = 0; i < 400; i++) {
      put(i);
      while (subject.store.clean(1)) backup.ship();
      backup.ship();
    }
    expect(backup.segments().some(({ segment }) => segment === 1)).toBe(false);
    const segments = backup.segments();
    const store = PartitionStore.recover(optionsOf(new Arena({ bytes: 24 * MIB }), clock, backup, 2), segments);
    store.audit();
    expect(store.cells).toBe(7);
  });

  it('counts a tombstone as dead as soon as its slot is used again, and no sooner', () => {
    const { subject, arena } = newRig({ arenaBytes: 24 * MIB });
    const liveBytes = (): number => arena.report().live;
    subject.batch(() => subject.put(NUMBERS, 1, { value: 1 }));
    const withCell = liveBytes();
    subject.batch(() => subject.delete(NUMBERS, 1));
    const cellBytes = withCell + TOMBSTONE_BYTES - liveBytes();
    expect(cellBytes).toBeGreaterThan(TOMBSTONE_BYTES);
    subject.batch(() => subject.put(NUMBERS, 2, { value: 2 }));
    expect(liveBytes()).toBe(withCell);
  });

  it('sorts what it moves out of several victims by age', () => {
    const { subject, backup, arena } = newRig({ arenaBytes: 24 * MIB });
    const cells = (from: number, end: number, work: (i: number) => void): void => {
      for (let i = from; i < end; i++) subject.batch(() => work(i));
    };
    const put = (i: number): unknown => subject.put(ITEMS, `${i}`, item('x', i, 1000));
    const deleteTwoOfThree = (i: number): unknown => (i % 3 === 0 ? null : subject.delete(ITEMS, `${i}`));
    const clean = (): void => {
      while (subject.store.clean(1)) backup.ship();
    };
    cells(0, 1200, put);
    makeScarce(arena);
    // First only the oldest and the youngest are moved, then what lies between them in age together with those.
    cells(0, 300, deleteTwoOfThree);
    cells(600, 900, deleteTwoOfThree);
    clean();
    expect(subject.store.counts.movedBytes).toBeGreaterThan(0);
    cells(300, 600, deleteTwoOfThree);
    cells(0, 900, (i) => (i % 9 === 0 ? subject.delete(ITEMS, `${i}`) : null));
    const before = new Map(subject.store.segments().map(({ segment, bytes }) => [segment, bytes]));
    makeScarce(arena);
    clean();
    const seqs = subject.store
      .segments()
      .flatMap(({ segment }) => cellSeqs(subject.store.segmentBytes(segment).slice(before.get(segment) ?? 0)));
    // One seq for a cell and one for its commit.
    for (const [from, end] of [
      [0, 600],
      [600, 1200],
      [1200, 1800],
    ] as const)
      expect(seqs.filter((seq) => seq > from && seq < end).length).toBeGreaterThan(10);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  });

  it('leaves behind what is written anew between two slices', () => {
    const { subject, backup, arena } = newRig({ arenaBytes: 24 * MIB });
    const { store } = subject;
    const kept = Array.from({ length: 500 }, (_, i) => 3 * i);
    for (let i = 0; i < 1500; i++) subject.batch(() => subject.put(ITEMS, `${i}`, item('old', i, 1000)));
    for (let i = 0; i < 1500; i++) if (i % 3 !== 0) subject.batch(() => subject.delete(ITEMS, `${i}`));
    makeScarce(arena);
    while (store.counts.movedBytes === 0) expect(store.clean(0)).toBe(true);
    expect(store.isCleaning).toBe(true);
    for (const i of kept) subject.batch(() => subject.put(ITEMS, `${i}`, item('new', i, 10)));
    while (store.clean(0)) backup.ship();
    for (const i of kept) expect(subject.get(ITEMS, `${i}`)).toStrictEqual(item('new', i, 10));
    store.audit();
  });

  it('deletes what expires after it was moved', () => {
    const { subject, backup, arena, clock } = newRig({ arenaBytes: 24 * MIB });
    const { store } = subject;
    const expiresS = Math.floor(clock.nowMs() / 1000) + 100;
    for (let i = 0; i < 1500; i++) subject.batch(() => subject.put(ITEMS, `${i}`, item('x', i, 1000), expiresS));
    for (let i = 0; i < 1500; i++) if (i % 3 !== 0) subject.batch(() => subject.delete(ITEMS, `${i}`));
    makeScarce(arena);
    while (store.clean(1)) backup.ship();
    expect(store.counts.movedBytes).toBeGreaterThan(0);
    clock.advance(200_000);
    while (store.clean(1)) backup.ship();
    expect([store.counts.expiredCells, store.cells]).toEqual([500, 0]);
    store.audit();
  });

  it('takes the oldest of segments that are hardly less empty than younger ones', () => {
    const { subject, arena } = newRig({ arenaBytes: 24 * MIB });
    const put = (part: number, i: number): unknown =>
      subject.put(ITEMS, `${part} ${i}`, item('x', i, part < 6 ? 42_000 : 43_000));
    for (let part = 0; part < 12; part++) for (let i = 0; i < 6; i++) subject.batch(() => put(part, i));
    for (let part = 0; part < 12; part++) subject.batch(() => subject.delete(ITEMS, `${part} 0`));
    makeScarce(arena);
    const numbers = (): number[] =>
      subject.store
        .segments()
        .filter(({ retired }) => retired)
        .map(({ segment }) => segment);
    while (numbers().length === 0 && subject.store.clean(1));
    expect(numbers().length).toBeGreaterThan(0);
    expect(numbers()).toEqual([1, 2, 3, 4].slice(0, numbers().length));
  });

  it('leaves a segment that a snapshot sees alone while there is another way', () => {
    const { subject, arena, backup } = newRig({ arenaBytes: 24 * MIB });
    for (let i = 0; i < 40; i++) subject.batch(() => subject.put(ITEMS, `${i}`, item('x', i, 40_000)));
    for (let i = 0; i < 40; i += 2) subject.batch(() => subject.delete(ITEMS, `${i}`));
    const snapshot = subject.store.snapshot();
    makeScarce(arena);
    expect(arena.pressure).toBeLessThan(1);
    while (subject.store.clean(1)) backup.ship();
    expect(subject.store.counts.movedBytes).toBe(0);
    snapshot.close();
    while (subject.store.clean(1)) backup.ship();
    expect(subject.store.counts.movedBytes).toBeGreaterThan(0);
  });
});

describe('a full store', () => {
  it('refuses writes with a typed error, and goes on to read, delete and shrink', () => {
    const { subject, backup } = newRig({ arenaBytes: 16 * MIB });
    let keys = 0;
    const put = (key: number): unknown => subject.batch(() => subject.put(ITEMS, `${key}`, item('x', key, 100_000)));
    expect(() => {
      for (; keys < 1000; keys++) put(keys);
    }).toThrow(
      expect.objectContaining({ code: 'STORE_FULL', details: { partition: 3, retryAfterMs: expect.any(Number) } }),
    );
    expect(subject.get(ITEMS, `${keys}`)).toBeNull();
    expect(subject.get(ITEMS, '0')).toStrictEqual(item('x', 0, 100_000));
    for (let key = 0; key < keys; key++) subject.batch(() => subject.delete(ITEMS, `${key}`));
    while (subject.store.clean(1)) backup.ship();
    backup.ship();
    put(0);
    subject.store.audit();
  });
});
