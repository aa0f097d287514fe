import { describe, expect, it } from '@jest/globals';
import { isNiobeError, ManualClock, seededRandom } from '@niobe/kernel';
import { Backup, item, ITEMS, MIB, newRig, optionsOf, Subject } from '../test/harness.ts';
import { Arena } from './arena.ts';
import { ArenaCleaner } from './arena-cleaner.ts';
import { PartitionStore } from './partition-store.ts';

/** Many partitions that share a small arena, with a backup each. */
class Shard {
  readonly arena: Arena;
  readonly subjects: Subject[] = [];
  readonly backups: Backup[] = [];
  readonly cleaner = new ArenaCleaner(() => this.subjects.map(({ store }) => store));
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
    expect(subject.store.movedBytes).toBe(0);
    expect(subject.store.emptiedSegments).toBeGreaterThan(0);
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
    for (const bytes of [8 * MIB, 4 * MIB, MIB]) expect(arena.open(999, bytes, 'write', 0)).not.toBeNull();
    for (let i = 0; i < 400; i++) {
      subject.batch(() => subject.put(ITEMS, `${i % 7}`, item('x', i, 100_000)));
      while (subject.store.clean(1)) backup.ship();
      backup.ship();
    }
    expect(backup.segments().some(({ segment }) => segment === 1)).toBe(false);
    const segments = backup.segments();
    const store = PartitionStore.recover(optionsOf(new Arena({ bytes: 24 * MIB }), clock, backup, 2), segments);
    store.audit();
    expect(store.cells).toBe(7);
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
