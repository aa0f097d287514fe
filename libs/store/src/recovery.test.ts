import { describe, expect, it } from '@jest/globals';
import { compileSchema, SchemaTable } from '@niobe/cells';
import { ManualClock } from '@niobe/kernel';
import {
  Backup,
  item,
  ITEMS,
  LOOSE,
  MIB,
  newRig,
  newSchemas,
  NUMBERS,
  optionsOf,
  recoverFrom,
  Subject,
} from '../test/harness.ts';
import { Arena } from './arena.ts';
import { noEvents } from './events.ts';
import { PartitionStore } from './partition-store.ts';
import type { RecoveredSegment } from './recovered-copies.ts';

function recover(segments: RecoveredSegment[], epoch = 2, arena = new Arena({ bytes: 24 * MIB })): PartitionStore {
  return PartitionStore.recover(optionsOf(arena, new ManualClock(), noEvents, epoch), segments);
}

/** A rig with deletes, reuse, cells without keys and a few segments. */
function filled() {
  const rig = newRig();
  const { subject, backup } = rig;
  for (let round = 0; round < 3; round++) {
    subject.batch(() => {
      const [gone] = [subject.create(LOOSE, item('gone', round)), subject.create(LOOSE, item('kept', round))];
      subject.remove(gone);
    });
    for (let i = 0; i < 20; i++) subject.batch(() => subject.put(ITEMS, `${i}`, item('x', round, 20_000)));
    for (let i = round; i < 20; i += 3) subject.batch(() => subject.delete(ITEMS, `${i}`));
    subject.batch(() => subject.merge(NUMBERS, round, { value: round }));
  }
  backup.ship();
  return rig;
}

describe('recovery', () => {
  it('gives the same cells, versions and ids, with segments in any order', () => {
    const { subject, backup } = filled();
    const segments = backup.segments();
    const store = recover(segments.toReversed());
    store.audit();
    expect(store.cells).toBe(subject.store.cells);
    expect(new Subject(store).all(LOOSE)).toStrictEqual(subject.all(LOOSE));
    for (const [schema, key] of [...subject.all(ITEMS).keys()]
      .map((key) => [ITEMS, key] as const)
      .concat([[NUMBERS, 1]])) {
      const slot = subject.find(schema, key);
      expect(store.idOf(slot)).toBe(subject.store.idOf(slot));
      expect([store.versionEpoch(slot), store.versionSeq(slot)]).toEqual([1, subject.store.versionSeq(slot)]);
    }
    expect(store.lastCommit()).toEqual(subject.store.lastCommit());
    expect(store.segments().every(({ sealed }) => sealed)).toBe(true);
  });

  it('appends to a new segment, with the new epoch and rising seqs', () => {
    const { subject, backup, clock } = filled();
    const highest = Math.max(...subject.store.segments().map(({ segment }) => segment));
    const before = subject.store.lastCommit();
    const second = recoverFrom(backup, clock, 2);
    const commit = second.subject.batch(() => second.subject.put(ITEMS, 'new', item('x', 1)));
    expect(commit.epoch).toBe(2);
    expect(commit.seq).toBeGreaterThan(before.seq);
    expect(second.subject.store.segments().at(-1)!.segment).toBe(highest + 1);
    backup.ship();
    const third = recoverFrom(backup, clock, 3);
    expect(third.subject.get(ITEMS, 'new')).toStrictEqual(item('x', 1));
    third.subject.store.audit();
  });

  it('reuses slots as the store before would have: those freed first, whatever their number', () => {
    const { subject, backup, clock } = newRig();
    subject.batch(() => {
      for (let key = 0; key < 10; key++) subject.put(NUMBERS, key, { value: key });
    });
    for (const key of [7, 2, 9, 0]) subject.batch(() => subject.delete(NUMBERS, key));
    backup.ship();
    const next = recoverFrom(backup, clock, 2).subject;
    const reused = [subject, next].map((one) =>
      [100, 101, 102, 103, 104].map((key) => {
        one.batch(() => one.put(NUMBERS, key, { value: 1 }));
        return one.store.idOf(one.find(NUMBERS, key));
      }),
    );
    expect(reused[1]).toEqual(reused[0]);
    expect(reused[1]!.map((id) => id % 2 ** 32)).toEqual([7, 2, 9, 0, 10]);
  });

  it('leaves cells that expire to the cleaner, as the store before would have', () => {
    const { subject, backup, clock } = newRig();
    subject.batch(() => {
      subject.put(NUMBERS, 1, { value: 1 }, Math.floor(clock.nowMs() / 1000) + 5);
      subject.put(NUMBERS, 2, { value: 2 });
    });
    backup.ship();
    const { store } = recoverFrom(backup, clock, 2).subject;
    clock.advance(20_000);
    expect(store.cells).toBe(2);
    while (store.clean(1));
    expect([store.cells, store.counts.expiredCells]).toEqual([1, 1]);
    store.audit();
  });

  it('finds the schemas in the log', () => {
    const { backup, clock } = filled();
    const schemas = new SchemaTable();
    const options = { ...optionsOf(new Arena({ bytes: 24 * MIB }), clock, noEvents, 2), schemas };
    PartitionStore.recover(options, backup.segments()).audit();
    expect(schemas.list().map(({ name }) => name)).toEqual(['items', 'numbers', 'loose']);
  });

  it('passes over a number whose segment has no bytes', () => {
    const store = recover([{ segment: 41, bytes: new Uint8Array(0), durableBytes: 0 }]);
    store.begin();
    store.rollback();
    expect(store.segments()).toEqual([]);
    const { subject } = recoverFrom(new EmptyBackup(41), new ManualClock(), 1);
    subject.batch(() => subject.put(ITEMS, 'a', item('x', 1)));
    expect(subject.store.segments()[0]!.segment).toBe(42);
  });

  it('drops a torn tail', () => {
    const { subject, backup } = newRig();
    subject.batch(() => subject.put(ITEMS, 'a', item('x', 1)));
    backup.ship();
    const durableBytes = backup.segments()[0]!.bytes.length;
    subject.batch(() => subject.put(ITEMS, 'a', item('x', 2)));
    backup.ship();
    const [{ bytes }] = backup.segments() as [RecoveredSegment];
    for (let length = durableBytes; length < bytes.length; length += 7) {
      const store = recover([{ segment: 1, bytes: bytes.subarray(0, length), durableBytes }]);
      expect([store.cells, store.lastCommit().seq, store.segmentBytes(1).length]).toEqual([1, 3, durableBytes]);
    }
  });
});

/** What is left of a partition that opened a segment and never wrote to it. */
class EmptyBackup extends Backup {
  readonly #segment: number;

  constructor(segment: number) {
    super();
    this.#segment = segment;
  }

  override segments(): RecoveredSegment[] {
    return [{ segment: this.#segment, bytes: new Uint8Array(0), durableBytes: 0 }];
  }
}

describe('damage is told with partition, segment and offset', () => {
  const damagedAt = (segment: number, offset: number): unknown =>
    expect.objectContaining({ code: 'DAMAGED', details: { partition: 3, segment, offset } });

  it('where durable bytes do not check', () => {
    const segments = filled().backup.segments();
    const [first, second] = segments as [RecoveredSegment, RecoveredSegment];
    second.bytes[second.bytes.length - 1] = second.bytes[second.bytes.length - 1]! ^ 1;
    const arena = new Arena({ bytes: 24 * MIB });
    expect(() => recover([first, second], 2, arena)).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
    expect(arena.report()).toMatchObject({ free: arena.capacityBytes, segments: 0 });
  });

  it('where a segment is another', () => {
    const segments = filled().backup.segments();
    const [first] = segments as [RecoveredSegment];
    expect(() => recover([{ ...first, segment: 7 }])).toThrow(damagedAt(7, 0));
    const arena = new Arena({ bytes: 24 * MIB });
    const elsewhere = { ...optionsOf(arena, new ManualClock(), noEvents, 2), partition: 4 };
    expect(() => PartitionStore.recover(elsewhere, [first])).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
  });

  it('where schemas are nowhere defined', () => {
    const { subject, backup } = newRig();
    for (let i = 0; i < 4; i++) subject.batch(() => subject.put(ITEMS, `${i}`, item('x', 1, 200_000)));
    backup.ship();
    const options = {
      ...optionsOf(new Arena({ bytes: 24 * MIB }), new ManualClock(), noEvents, 2),
      schemas: new SchemaTable(),
    };
    expect(() => PartitionStore.recover(options, backup.segments().slice(1))).toThrow(damagedAt(2, 24));
  });
});

describe('recovery refuses', () => {
  it('a log of a higher epoch', () => {
    const { backup } = filled();
    expect(() => recover(backup.segments(), 0)).toThrow(expect.objectContaining({ code: 'FENCED' }));
  });

  it('a store that is too small', () => {
    const rig = newRig({ arenaBytes: 48 * MIB });
    for (let i = 0; i < 25; i++) rig.subject.batch(() => rig.subject.put(ITEMS, `${i}`, item('x', 1, 1_000_000)));
    rig.backup.ship();
    const arena = new Arena({ bytes: 16 * MIB });
    expect(() => recover(rig.backup.segments(), 2, arena)).toThrow(expect.objectContaining({ code: 'STORE_FULL' }));
    expect(arena.freeBytes).toBe(arena.capacityBytes);
  });

  it('a schema that does not fit the one in the log', () => {
    const { backup } = filled();
    const schemas = newSchemas();
    const changed = new SchemaTable();
    changed.add(compileSchema(16, 1, { name: 'items', key: 'text', fields: { other: { type: 'i32' } } }));
    expect(schemas.list()).toHaveLength(3);
    const options = { ...optionsOf(new Arena({ bytes: 24 * MIB }), new ManualClock(), noEvents, 2), schemas: changed };
    expect(() => PartitionStore.recover(options, backup.segments())).toThrow(
      expect.objectContaining({ code: 'INCOMPATIBLE' }),
    );
  });
});
