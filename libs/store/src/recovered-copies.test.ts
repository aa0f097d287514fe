import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@niobe/kernel';
import { item, ITEMS, LOOSE, MIB, newRig, optionsOf, Subject, type Rig } from '../test/harness.ts';
import { Arena } from './arena.ts';
import { noEvents } from './events.ts';
import { PartitionStore } from './partition-store.ts';
import type { RecoveredSegment } from './recovered-copies.ts';
import { readBatches } from './segment-reader.ts';
import { validPrefix } from './valid-prefix.ts';

function recover(segments: Iterable<RecoveredSegment>, arena = new Arena({ bytes: 24 * MIB })): PartitionStore {
  return PartitionStore.recover(optionsOf(arena, new ManualClock(), noEvents, 2), segments);
}

/** Everything that can be told of a store from outside. */
function contentOf(store: PartitionStore): unknown {
  const subject = new Subject(store);
  const cells = [ITEMS, LOOSE].flatMap((schema) =>
    [...subject.all(schema)].map(([name, { blob, ...record }]) => {
      const slot = typeof name === 'string' ? subject.find(schema, name) : store.slotOfId(name);
      const bytes = blob instanceof Uint8Array ? blob.length : 0;
      return [name, record, bytes, store.idOf(slot), store.versionEpoch(slot), store.versionSeq(slot)];
    }),
  );
  return { cells, commit: store.lastCommit(), slots: store.counts.slots };
}

/** Some segments of cells that were changed, deleted, made again and moved by the cleaner. */
function filled(): Rig {
  const rig = newRig();
  const { subject, backup } = rig;
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 12; i++) subject.batch(() => subject.put(ITEMS, `${i}`, item('x', round, 30_000)));
    for (let i = round; i < 12; i += 3) subject.batch(() => subject.delete(ITEMS, `${i}`));
    subject.batch(() => {
      const [kept, gone] = [subject.create(LOOSE, item('kept', round)), subject.create(LOOSE, item('gone', round))];
      if (kept !== gone) subject.remove(gone);
    });
  }
  backup.ship();
  return rig;
}

/** The first bytes of a segment, up to the end of its n-th batch from behind. */
function shortened({ segment, bytes }: RecoveredSegment, batches: number): RecoveredSegment {
  let part = bytes;
  for (let i = 0; i < batches; i++) part = bytes.subarray(0, validPrefix(part.subarray(0, part.length - 1)).validBytes);
  return { segment, bytes: part, durableBytes: part.length };
}

function flipped({ segment, bytes, durableBytes }: RecoveredSegment, at: number): RecoveredSegment {
  const copy = bytes.slice();
  copy[at] = copy[at]! ^ 1;
  return { segment, bytes: copy, durableBytes };
}

describe('copies of segments', () => {
  const segments = filled().backup.segments();
  const whole = contentOf(recover(segments));
  const last = segments.at(-1)!;

  it('may come more than once, whole or in part, in any order', () => {
    const parts = segments.flatMap((one) => [shortened(one, 2), one, shortened(one, 1), one]);
    for (const given of [parts, parts.toReversed()]) {
      const store = recover(given);
      expect(contentOf(store)).toEqual(whole);
      expect(store.recovery).toMatchObject({ segments: segments.length, repeatedCopies: 3 * segments.length });
      expect(store.recovery?.cutTails).toEqual([]);
      store.audit();
    }
  });

  it('repair each other', () => {
    const at = last.bytes.length - 40;
    for (const given of [
      [flipped(last, at), last],
      [last, flipped(last, 100)],
    ]) {
      const store = recover([...segments.slice(0, -1), ...given]);
      expect(contentOf(store)).toEqual(whole);
      store.audit();
    }
  });

  it('are damage where no copy has what one was confirmed to have', () => {
    const { validBytes } = validPrefix(flipped(last, 100).bytes);
    const damage = { code: 'DAMAGED', details: { partition: 3, segment: last.segment, offset: validBytes } };
    for (const copy of [flipped(last, 100), shortened(flipped(last, 100), 0)])
      expect(() => recover([...segments.slice(0, -1), copy])).toThrow(expect.objectContaining(damage));
  });

  it('are damage where they differ and both check', () => {
    const others = filled();
    others.subject.batch(() => others.subject.put(ITEMS, 'other', item('y', 1)));
    others.clock.advance(1);
    const rig = newRig();
    rig.clock.advance(5000);
    rig.subject.batch(() => rig.subject.put(ITEMS, 'a', item('x', 1)));
    rig.backup.ship();
    const [first, other] = [segments[0]!, rig.backup.segments()[0]!];
    // The start names the second at which the segment was opened.
    const damage = { code: 'DAMAGED', details: { partition: 3, segment: 1, offset: 20 } };
    expect(() => recover([first, other])).toThrow(expect.objectContaining(damage));
    expect(() => recover([other, first])).toThrow(expect.objectContaining(damage));
  });

  it('leave the arena as it was where a recovery fails or is interrupted, and it can be begun again', () => {
    const arena = new Arena({ bytes: 24 * MIB });
    function* interrupted(): Generator<RecoveredSegment> {
      yield* segments.slice(0, -1);
      throw new Error('the reader was cut off');
    }
    expect(() => recover(interrupted(), arena)).toThrow('cut off');
    expect(() => recover([...segments.slice(0, -1), flipped(last, 100)], arena)).toThrow('damaged');
    expect(arena.report()).toMatchObject({ free: arena.capacityBytes, segments: 0 });
    expect(contentOf(recover(segments, arena))).toEqual(whole);
  });

  it('of what a recovered store holds give the same store', () => {
    let store = recover(segments);
    for (let i = 0; i < 3; i++) {
      const held = store.segments().map(({ segment }) => {
        const bytes = store.segmentBytes(segment).slice();
        return { segment, bytes, durableBytes: bytes.length };
      });
      store = recover(held);
      expect(contentOf(store)).toEqual(whole);
      store.audit();
    }
  });
});

describe('a segment that is missing', () => {
  it('is noticed by the slots it leaves without an entry', () => {
    const { subject, backup } = newRig();
    subject.batch(() => subject.put(ITEMS, 'first', item('x', 1)));
    for (let i = 0; i < 30; i++) subject.batch(() => subject.put(ITEMS, `${i}`, item('x', 1, 30_000)));
    backup.ship();
    const segments = backup.segments();
    expect(segments.length).toBeGreaterThan(2);
    const damage = { code: 'DAMAGED', details: expect.objectContaining({ partition: 3, slot: expect.any(Number) }) };
    expect(() => recover([segments[0]!, ...segments.slice(2)])).toThrow(expect.objectContaining(damage));
  });
});

describe('a tombstone that is missing', () => {
  it('is noticed by the two cells of one key that it leaves', () => {
    const { subject, backup } = newRig();
    const put = (key: string, bytes: number): void =>
      void subject.batch(() => subject.put(ITEMS, key, item('x', 1, bytes)));
    put('a', 200_000);
    subject.batch(() => subject.delete(ITEMS, 'a'));
    put('takes the slot of a', 250_000);
    put('a', 250_000);
    backup.ship();
    const segments = backup.segments();
    expect(segments).toHaveLength(3);
    const [onlyA] = readBatches(segments[0]!.bytes);
    const first = { segment: 1, bytes: segments[0]!.bytes.subarray(0, onlyA!.bytes), durableBytes: onlyA!.bytes };
    const given = [first, segments[2]!];
    expect(() => recover(given)).toThrow(/two cells of one key/);
  });
});

describe('what was not durable', () => {
  /** Four batches: two in segment 1, then one in segment 2, then one in segment 3. */
  const rig = newRig();
  for (const [key, bytes] of [
    ['a', 60_000],
    ['b', 60_000],
    ['c', 200_000],
    ['d', 200_000],
  ] as const)
    rig.subject.batch(() => rig.subject.put(ITEMS, key, item('x', 1, bytes)));
  rig.backup.ship();
  const [first, second, third] = rig.backup.segments() as [RecoveredSegment, RecoveredSegment, RecoveredSegment];
  const keysOf = (store: PartitionStore): unknown[] => [...new Subject(store).all(ITEMS).keys()];
  const durable = (one: RecoveredSegment, durableBytes: number): RecoveredSegment => ({ ...one, durableBytes });

  it('is taken as far as it checks, and the cut tail is reported with its bytes', () => {
    const torn = { ...durable(second, 0), bytes: second.bytes.subarray(0, second.bytes.length - 9) };
    const store = recover([first, torn]);
    expect(keysOf(store)).toEqual(['a', 'b']);
    expect(store.recovery?.cutTails).toEqual([{ segment: 2, offset: 0, bytes: torn.bytes.length }]);
    expect(keysOf(recover([first, durable(second, 0), durable(third, 0)]))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is cut where a batch before it is lost, so that no batch is there without the one before', () => {
    const torn = { ...durable(second, 0), bytes: second.bytes.subarray(0, second.bytes.length - 9) };
    const store = recover([durable(third, 0), torn, first]);
    expect(keysOf(store)).toEqual(['a', 'b']);
    expect(store.recovery?.cutTails).toEqual([
      { segment: 2, offset: 0, bytes: torn.bytes.length },
      { segment: 3, offset: 0, bytes: third.bytes.length },
    ]);
    expect(store.lastCommit().seq).toBe(recover([first]).lastCommit().seq);
    store.audit();
    expect(keysOf(recover([durable(third, 0), first]))).toEqual(['a', 'b']);
  });

  it('is damage before the durable length, wherever the tail begins', () => {
    const end = validPrefix(first.bytes.subarray(0, first.bytes.length - 1)).validBytes;
    const bytes = first.bytes.subarray(0, end + 8);
    expect(keysOf(recover([{ segment: 1, bytes, durableBytes: end }]))).toEqual(['a']);
    expect(() => recover([{ segment: 1, bytes, durableBytes: end + 1 }])).toThrow(
      expect.objectContaining({ code: 'DAMAGED', details: { partition: 3, segment: 1, offset: end } }),
    );
  });
});

describe('segments of another format', () => {
  const { backup, subject } = newRig();
  subject.batch(() => subject.put(ITEMS, 'a', item('x', 1)));
  backup.ship();
  const [segment] = backup.segments() as [RecoveredSegment];

  it('are refused by name', () => {
    const later = segment.bytes.slice();
    later[2] = 3;
    later[40] = 77;
    const refusal = (format: number): unknown =>
      expect.objectContaining({ code: 'INCOMPATIBLE', details: { partition: 3, segment: 1, format } });
    expect(() => recover([{ ...segment, bytes: later }])).toThrow(refusal(3));
    const earlier = Uint8Array.of(1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0);
    expect(() => recover([{ segment: 1, bytes: earlier, durableBytes: 24 }])).toThrow(refusal(1));
  });

  it('are not those whose number of the format was damaged', () => {
    for (let bit = 0; bit < 32; bit++) {
      const bytes = segment.bytes.slice();
      bytes[bit >>> 3] = bytes[bit >>> 3]! ^ (1 << (bit & 7));
      const damage = { code: 'DAMAGED', details: { partition: 3, segment: 1, offset: 0 } };
      expect(() => recover([{ ...segment, bytes }])).toThrow(expect.objectContaining(damage));
    }
  });
});
