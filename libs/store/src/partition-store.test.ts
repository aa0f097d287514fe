import { describe, expect, it } from '@jest/globals';
import { compilePredicate, compileSchema, encodeScalar, joinRevisions } from '@niobe/cells';
import { ByteWriter, isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { item, ITEMS, LOOSE, MIB, newRig, NUMBERS, type Rig } from '../test/harness.ts';
import { SCAN_END } from './cell-reader.ts';
import { BATCH_BYTES_MAX } from './limits.ts';

const code = (name: string): unknown => expect.objectContaining({ code: name });

function versionOf({ subject }: Rig, key: string): [number, number] {
  const slot = subject.find(ITEMS, key);
  return [subject.store.versionEpoch(slot), subject.store.versionSeq(slot)];
}

describe('operations', () => {
  it('write, read and delete cells of several schemas', () => {
    const { subject } = newRig();
    subject.batch(() => {
      expect(subject.put(ITEMS, '1', item('text', 1))).toBe('created');
      expect(subject.put(NUMBERS, 1, { value: 5 })).toBe('created');
      expect(subject.merge(NUMBERS, 1, { value: 6 })).toBe('updated');
    });
    expect(subject.get(ITEMS, '1')).toStrictEqual(item('text', 1));
    expect(subject.get(NUMBERS, 1)).toStrictEqual({ value: 11 });
    subject.batch(() => expect(subject.delete(ITEMS, '1')).toBe('deleted'));
    expect([subject.get(ITEMS, '1'), subject.get(NUMBERS, 1)]).toStrictEqual([null, { value: 11 }]);
    expect(subject.store.cells).toBe(1);
    subject.store.audit();
  });

  it('take versions that rise with every entry and stay where nothing changed', () => {
    const rig = newRig();
    const { subject } = rig;
    const first = subject.batch(() => subject.put(ITEMS, 'a', item('x', 1)));
    const version = versionOf(rig, 'a');
    const second = subject.batch(() => expect(subject.put(ITEMS, 'a', item('x', 1))).toBe('unchanged'));
    expect(second).toEqual(first);
    expect(versionOf(rig, 'a')).toEqual(version);
    subject.batch(() => expect(subject.merge(ITEMS, 'a', item('other', 0))).toBe('unchanged'));
    expect(versionOf(rig, 'a')).toEqual(version);
    const third = subject.batch(() => subject.put(ITEMS, 'a', item('x', 2)));
    expect(versionOf(rig, 'a')[1]).toBeGreaterThan(version[1]);
    expect(third.seq).toBeGreaterThan(versionOf(rig, 'a')[1]);
  });

  it('replace and delete by version', () => {
    const rig = newRig();
    const { subject } = rig;
    subject.batch(() => subject.put(ITEMS, 'a', item('x', 1)));
    const [epoch, seq] = versionOf(rig, 'a');
    expect(() => subject.batch(() => subject.replace(ITEMS, 'a', item('x', 2), epoch, seq + 1))).toThrow(
      code('VERSION_MISMATCH'),
    );
    expect(() => subject.batch(() => subject.replace(ITEMS, 'b', item('x', 2), epoch, seq))).toThrow(code('NOT_FOUND'));
    subject.batch(() => expect(subject.replace(ITEMS, 'a', item('x', 2), epoch, seq)).toBe('updated'));
    expect(() => subject.batch(() => subject.delete(ITEMS, 'a', epoch, seq))).toThrow(code('VERSION_MISMATCH'));
    expect(() => subject.batch(() => subject.delete(ITEMS, 'b', epoch, seq))).toThrow(code('NOT_FOUND'));
    subject.batch(() => expect(subject.delete(ITEMS, 'a', ...versionOf(rig, 'a'))).toBe('deleted'));
    subject.batch(() => expect(subject.delete(ITEMS, 'a')).toBe('absent'));
  });

  it('put if absent only where there is none', () => {
    const { subject } = newRig();
    subject.batch(() => subject.putIfAbsent(ITEMS, 'a', item('x', 1)));
    expect(() => subject.batch(() => subject.putIfAbsent(ITEMS, 'a', item('x', 2)))).toThrow(code('EXISTS'));
    expect(subject.get(ITEMS, 'a')).toStrictEqual(item('x', 1));
  });

  it('leave a cell as it was where a merge overflows', () => {
    const { subject } = newRig();
    subject.batch(() => subject.put(ITEMS, 'a', { ...item('x', 1), count: 2n ** 64n - 1n }));
    subject.store.begin();
    expect(() => subject.merge(ITEMS, 'a', item('x', 1))).toThrow(code('OVERFLOW'));
    subject.put(ITEMS, 'b', item('y', 1));
    subject.store.commit();
    expect([subject.get(ITEMS, 'a')?.['count'], subject.get(ITEMS, 'b')?.['count']]).toEqual([2n ** 64n - 1n, 1]);
    subject.store.audit();
  });

  it('check keys, bodies and sizes', () => {
    const { subject } = newRig();
    const { store } = subject;
    const body = new ByteWriter(2 * MIB);
    ITEMS.encode(item('x', 1), body);
    const bytes = body.finish();
    const put = (schemaId: number, keyAt: number, keyBytes: number, bodyAt: number, bodyBytes: number) => (): unknown =>
      store.put(schemaId, bytes, keyAt, keyBytes, bodyAt, bodyBytes, 0);
    store.begin();
    expect(put(99, 0, 0, 0, bytes.length)).toThrow(code('NOT_READY'));
    expect(put(ITEMS.id, 0, 0, 0, bytes.length - 1)).toThrow(code('MALFORMED'));
    NUMBERS.encode({ value: 1 }, body);
    const number = body.finish().subarray(bytes.length);
    expect(() => store.put(NUMBERS.id, number, 0, 3, 0, number.length, 0)).toThrow(code('MALFORMED'));
    expect(() => subject.put(ITEMS, 'k'.repeat(100), item('x', 1, MIB - 50))).toThrow(code('TOO_LARGE'));
    expect(() => store.find(LOOSE.id, bytes, 0, 0)).toThrow(code('BAD_REQUEST'));
    expect(put(LOOSE.id, 0, 0, 0, bytes.length)).toThrow(code('BAD_REQUEST'));
    expect(() => store.create(99, bytes, 0, bytes.length)).toThrow(code('NOT_READY'));
    expect(() => store.create(LOOSE.id, bytes, 0, bytes.length - 1)).toThrow(code('MALFORMED'));
    expect(() => store.create(ITEMS.id, bytes, 0, bytes.length)).toThrow(/with a key is put/);
    store.rollback();
    expect(store.segments()).toEqual([]);
  });

  it('never crash on random bytes', () => {
    const { subject } = newRig();
    const operations = ['put', 'putIfAbsent', 'merge', 'replace', 'delete', 'find', 'create'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...operations),
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(40),
        fc.constantFrom(15, 16, 17, 18),
        (operation, bytes, cut, schemaId) => {
          const keyBytes = Math.min(cut, bytes.length);
          if (bytes.length > keyBytes) bytes[keyBytes] = bytes[keyBytes]! % 6;
          subject.store.begin();
          try {
            if (operation === 'create') subject.store.create(LOOSE.id, bytes, keyBytes, bytes.length - keyBytes);
            else if (operation === 'find') subject.store.find(schemaId, bytes, 0, keyBytes);
            else if (operation === 'delete') subject.store.delete(schemaId, bytes, 0, keyBytes, 0, 0);
            else if (operation === 'replace')
              subject.store.replace(schemaId, bytes, 0, keyBytes, keyBytes, bytes.length - keyBytes, 0, 1, 1);
            else subject.store[operation](schemaId, bytes, 0, keyBytes, keyBytes, bytes.length - keyBytes, 0);
            subject.store.commit();
          } catch (error) {
            subject.store.rollback();
            if (!isNiobeError(error)) throw error;
          }
        },
      ),
      { numRuns: 2000 },
    );
    subject.store.audit();
  });
});

describe('batches', () => {
  it('see their own writes, and are undone as a whole', () => {
    const { subject } = newRig();
    subject.batch(() => {
      for (const key of ['a', 'b', 'c']) subject.put(ITEMS, key, item(key, 1));
    });
    const before = subject.all(ITEMS);
    const id = subject.store.idOf(subject.find(ITEMS, 'b'));
    subject.store.begin();
    subject.delete(ITEMS, 'b');
    expect(subject.get(ITEMS, 'b')).toBeNull();
    subject.put(ITEMS, 'd', item('d', 1));
    subject.put(ITEMS, 'b', item('b again', 1));
    subject.merge(ITEMS, 'b', item('', 1));
    expect(subject.get(ITEMS, 'b')?.['count']).toBe(2);
    subject.put(NUMBERS, 1, { value: 1 });
    subject.delete(ITEMS, 'b');
    subject.store.rollback();
    expect(subject.all(ITEMS)).toStrictEqual(before);
    const { seq } = subject.store.lastCommit();
    expect(subject.batch(() => subject.put(ITEMS, 'a', item('a', 2))).seq).toBe(seq + 2);
    expect(subject.store.slotOfId(id)).toBe(subject.find(ITEMS, 'b'));
    subject.store.audit();
  });

  it('hold up to 4 MiB and refuse more', () => {
    const { subject } = newRig();
    const bytes = 900_000;
    subject.batch(() => {
      for (let i = 0; i < 4; i++) subject.put(ITEMS, `${i}`, item('x', i, bytes));
      expect(() => subject.put(ITEMS, '4', item('x', 4, bytes))).toThrow(code('TOO_LARGE'));
    });
    expect(subject.all(ITEMS).size).toBe(4);
    expect(subject.store.segmentBytes(1).length).toBeLessThanOrEqual(BATCH_BYTES_MAX);
    subject.store.audit();
  });

  it('never span segments, and tell of every segment and byte in order', () => {
    const told: string[] = [];
    const ends = new Map<number, number>();
    const rig = newRig({
      partial: {
        events: {
          opened: (segment) => void told.push(`opened ${segment}`),
          sealed: (segment) => void told.push(`sealed ${segment}`),
          retired: () => undefined,
          appended: (segment, start, end) => {
            expect(start).toBe(ends.get(segment) ?? 0);
            ends.set(segment, end);
          },
        },
      },
    });
    for (let i = 0; i < 30; i++) rig.subject.batch(() => rig.subject.put(ITEMS, `${i}`, item('x', i, 100_000)));
    expect(told.slice(0, 4)).toEqual(['opened 1', 'sealed 1', 'opened 2', 'sealed 2']);
    const { store } = rig.subject;
    expect(store.segments().map(({ segment, bytes }) => [segment, bytes])).toEqual([...ends]);
    expect(() => store.segmentBytes(99)).toThrow(code('NOT_FOUND'));
  });

  it('are open one at a time in an arena', () => {
    const { subject } = newRig();
    subject.store.begin();
    expect(() => subject.store.begin()).toThrow(/before the next begins/);
    expect(() => subject.store.clean(1)).toThrow(/between batches/);
  });
});

describe('schemas', () => {
  it('may get a newer revision, which reads the older cells', () => {
    const { subject, backup } = newRig();
    subject.batch(() => subject.put(ITEMS, 'old', item('x', 1)));
    const declaration = joinRevisions(ITEMS.declaration, {
      ...ITEMS.declaration,
      fields: { ...ITEMS.declaration.fields, note: { type: 'text', optional: true, merge: 'keep' } },
    });
    const newer = compileSchema(ITEMS.id, 2, declaration);
    expect(() => subject.batch(() => subject.put(newer, 'new', { ...item('x', 1), note: 'hello' }))).toThrow(
      code('NOT_READY'),
    );
    subject.schemas.add(newer);
    subject.batch(() => {
      subject.put(newer, 'new', { ...item('x', 1), note: 'hello' });
      subject.merge(newer, 'old', { ...item('x', 1), note: 'ignored' });
    });
    expect(subject.get(newer, 'old')).toStrictEqual({ ...item('x', 2), note: null });
    expect(subject.get(newer, 'new')?.['note']).toBe('hello');
    backup.ship();
    subject.store.audit();
  });
});

describe('ids', () => {
  it('find their cell until it is deleted, and never another', () => {
    const { subject, clock } = newRig();
    subject.batch(() => subject.put(ITEMS, 'a', item('x', 1)));
    const slot = subject.find(ITEMS, 'a');
    const id = subject.store.idOf(slot);
    expect(id).toBe(3 * 2 ** 40 + slot);
    expect(subject.store.slotOfId(id)).toBe(slot);
    expect(subject.store.slotOfId(id + 2 ** 40)).toBe(-1);
    subject.batch(() => subject.delete(ITEMS, 'a'));
    expect(subject.store.slotOfId(id)).toBe(-1);
    subject.batch(() => subject.put(ITEMS, 'b', item('x', 1), clock.nowMs() / 1000 + 5));
    expect(subject.find(ITEMS, 'b')).toBe(slot);
    expect(subject.store.slotOfId(id)).toBe(-1);
    expect(subject.store.slotOfId(id + 2 ** 32)).toBe(slot);
    clock.advance(5000);
    expect(subject.store.slotOfId(id + 2 ** 32)).toBe(-1);
  });

  it('are not repeated: a slot whose generations are used up is left alone', () => {
    const { subject } = newRig();
    const ids = new Set<number>();
    for (let i = 0; i < 300; i++) {
      subject.batch(() => subject.put(ITEMS, 'a', item('x', i)));
      ids.add(subject.store.idOf(subject.find(ITEMS, 'a')));
      subject.batch(() => subject.delete(ITEMS, 'a'));
    }
    expect(ids.size).toBe(300);
    expect(subject.store.counts.slots).toBe(2);
    subject.store.audit();
  });
});

describe('cells without key', () => {
  it('are found by id, beside others, and cost no index', () => {
    const { subject } = newRig();
    const ids: number[] = [];
    subject.batch(() => {
      subject.put(ITEMS, 'a', item('with a key', 1));
      for (let i = 0; i < 1000; i++) ids.push(subject.create(LOOSE, item('x', i)));
    });
    const { store } = subject;
    expect(new Set(ids).size).toBe(1000);
    expect([store.cells, store.counts.indexBytes]).toEqual([1001, newRig().subject.store.counts.indexBytes]);
    expect(subject.byId(LOOSE, ids[7]!)).toStrictEqual(item('x', 7));
    expect(store.schemaId(store.slotOfId(ids[7]!))).toBe(LOOSE.id);
    expect(subject.all(LOOSE).size).toBe(1000);
    store.audit();
  });

  it('are overwritten and removed, also where a cell has a key', () => {
    const { subject } = newRig();
    let loose = 0;
    subject.batch(() => {
      loose = subject.create(LOOSE, item('x', 1));
      subject.put(ITEMS, 'a', item('y', 1));
    });
    const keyed = subject.store.idOf(subject.find(ITEMS, 'a'));
    subject.batch(() => {
      expect(subject.overwrite(LOOSE, loose, item('x', 1))).toBe('unchanged');
      expect(subject.overwrite(LOOSE, loose, item('longer', 2, 500))).toBe('updated');
      expect(subject.overwrite(ITEMS, keyed, item('y', 2))).toBe('updated');
    });
    expect(subject.byId(LOOSE, loose)).toStrictEqual(item('longer', 2, 500));
    expect(subject.get(ITEMS, 'a')).toStrictEqual(item('y', 2));
    subject.batch(() => {
      subject.remove(loose);
      subject.remove(keyed);
    });
    expect([subject.byId(LOOSE, loose), subject.get(ITEMS, 'a'), subject.store.cells]).toEqual([null, null, 0]);
    subject.store.audit();
    expect(() => subject.batch(() => subject.store.remove(0))).toThrow(/the slot has a cell/);
  });

  it('are undone with their batch, and end in time', () => {
    const { subject, clock } = newRig();
    let [kept, short] = [0, 0];
    subject.batch(() => {
      kept = subject.create(LOOSE, item('x', 1));
      short = subject.create(LOOSE, item('short', 1), clock.nowMs() / 1000 + 5);
    });
    subject.store.begin();
    const undone = subject.create(LOOSE, item('undone', 1));
    subject.overwrite(LOOSE, kept, item('x', 2));
    subject.remove(short);
    subject.store.rollback();
    expect([undone, kept, short].map((id) => subject.byId(LOOSE, id)?.['count'])).toEqual([undefined, 1, 1]);
    clock.advance(5000);
    expect([subject.byId(LOOSE, short), subject.all(LOOSE).size, subject.store.cells]).toEqual([null, 1, 2]);
    while (subject.store.clean(1));
    expect([subject.store.cells, subject.store.counts.expiredCells]).toEqual([1, 1]);
    subject.store.audit();
  });
});

describe('expiry', () => {
  it('hides a cell at once, and lets its key begin anew', () => {
    const { subject, clock } = newRig();
    const expiresS = clock.nowMs() / 1000 + 10;
    subject.batch(() => subject.put(ITEMS, 'a', item('x', 1), expiresS));
    const id = subject.store.idOf(subject.find(ITEMS, 'a'));
    clock.advance(9999);
    expect(subject.get(ITEMS, 'a')).not.toBeNull();
    clock.advance(1);
    expect([subject.get(ITEMS, 'a'), subject.all(ITEMS).size]).toEqual([null, 0]);
    subject.batch(() => expect(subject.delete(ITEMS, 'a')).toBe('absent'));
    subject.batch(() => expect(subject.merge(ITEMS, 'a', item('y', 5))).toBe('created'));
    expect(subject.get(ITEMS, 'a')).toStrictEqual(item('y', 5));
    expect(subject.store.slotOfId(id)).toBe(-1);
    subject.store.audit();
  });

  it('ends in tombstones that the cleaner writes, also where nothing is dead yet', () => {
    const { subject, clock } = newRig();
    const nowS = clock.nowMs() / 1000;
    subject.batch(() => {
      for (let i = 0; i < 100; i++)
        subject.put(ITEMS, `${i}`, item('x', i), i < 60 ? nowS + 10 : i < 90 ? nowS + 20 : 0);
    });
    expect(subject.store.clean(1)).toBe(false);
    clock.advance(10_000);
    while (subject.store.clean(1));
    expect([subject.store.cells, subject.store.counts.expiredCells]).toEqual([40, 60]);
    clock.advance(10_000);
    while (subject.store.clean(1));
    expect([subject.store.cells, subject.store.counts.expiredCells]).toEqual([10, 90]);
    subject.store.audit();
  });
});

describe('scan', () => {
  it('visits what matches, in pages', () => {
    const { subject } = newRig();
    subject.batch(() => {
      for (let i = 0; i < 500; i++) subject.put(NUMBERS, i, { value: i % 10 });
      for (let i = 0; i < 500; i++) subject.put(ITEMS, `${i}`, item('x', i));
    });
    const predicate = compilePredicate(NUMBERS, [{ field: 0, op: 'ge', value: encodeScalar(NUMBERS.fields[0]!, 8) }]);
    const keys: (string | number)[] = [];
    let pages = 0;
    for (let cursor = 0; cursor !== SCAN_END; pages++) {
      cursor = subject.store.scan(NUMBERS.id, predicate, cursor, 100, 1000, (slot) =>
        keys.push(subject.keyOf(NUMBERS, slot)),
      );
    }
    expect(keys).toEqual(Array.from({ length: 500 }, (_, i) => i).filter((i) => i % 10 >= 8));
    expect(pages).toBeGreaterThan(10);
    expect(() => subject.store.scan(NUMBERS.id, null, -2, 1, 1, () => undefined)).toThrow(code('BAD_REQUEST'));
    expect(subject.store.scan(NUMBERS.id, null, 1e9, 1, 1, () => undefined)).toBe(SCAN_END);
  });

  it('visits every cell that is there throughout exactly once, under writes and cleaning', () => {
    const changes = fc.array(
      fc.record({ key: fc.nat(99), bytes: fc.constantFrom(0, 5000, 40_000), remove: fc.boolean() }),
      {
        maxLength: 150,
        size: 'max',
      },
    );
    fc.assert(
      fc.property(changes, (sequence) => {
        const { subject, backup, arena } = newRig({ arenaBytes: 16 * MIB });
        arena.open(999, 4 * MIB, 'write', 0);
        subject.batch(() => {
          for (let i = 0; i < 100; i++) subject.put(ITEMS, `${i}`, item('x', 0, 10_000));
        });
        const throughout = new Set(Array.from({ length: 100 }, (_, i) => `${i}`));
        const seen = new Map<string, number>();
        let cursor = 0;
        const page = (): void => {
          if (cursor === SCAN_END) return;
          cursor = subject.store.scan(ITEMS.id, null, cursor, 1, 1000, (slot) => {
            const key = String(subject.keyOf(ITEMS, slot));
            seen.set(key, (seen.get(key) ?? 0) + 1);
          });
        };
        for (const [i, { key, bytes, remove }] of sequence.entries()) {
          page();
          if (remove) throughout.delete(`${key}`);
          subject.batch(() =>
            remove ? subject.delete(ITEMS, `${key}`) : subject.put(ITEMS, `${key}`, item('y', i, bytes)),
          );
          for (let slice = 0; slice < 3; slice++) subject.store.clean(1);
          backup.ship();
        }
        while (cursor !== SCAN_END) page();
        for (const key of throughout) expect([key, seen.get(key)]).toEqual([key, 1]);
      }),
      { numRuns: 25 },
    );
  });
});
