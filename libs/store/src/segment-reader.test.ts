import { describe, expect, it } from '@jest/globals';
import { item, ITEMS, LOOSE, newRig, NUMBERS } from '../test/harness.ts';
import { readBatches, readEnd, readStart } from './segment-reader.ts';

const { subject, backup, clock } = newRig();
subject.batch(() => subject.put(ITEMS, 'a', item('x', 1, 50), 1_800_000_000));
clock.advance(1_000);
subject.batch(() => {
  subject.put(NUMBERS, 7, { value: -7 });
  subject.create(LOOSE, item('y', 2));
});
subject.batch(() => subject.delete(NUMBERS, 7));
backup.ship();
const { bytes } = backup.segments()[0]!;
const batches = [...readBatches(bytes)];

describe('a segment as objects', () => {
  it('says which it is', () => {
    expect(readStart(bytes)).toEqual({ segment: 1, partition: 3, epoch: 1, openedS: 1_700_000_000 });
  });

  it('has its batches one behind the other, each with its commit', () => {
    let end = 0;
    for (const batch of batches) {
      expect(batch.offset).toBe(end);
      end += batch.bytes;
    }
    expect(end).toBe(bytes.length);
    expect(batches.map(({ seq }) => seq)).toEqual([3, 8, 10]);
    expect(batches.map(({ timeMs }) => timeMs - 1_700_000_000_000)).toEqual([0, 1_000, 1_000]);
  });

  it('has its entries, with keys and bodies as ranges', () => {
    const entries = batches.flatMap((batch) => batch.entries);
    expect(entries.map(({ kind }) => kind)).toEqual([
      'schema',
      'cell',
      'schema',
      'cell',
      'schema',
      'cell',
      'tombstone',
    ]);
    const [, first] = entries;
    expect(first).toMatchObject({ schemaId: ITEMS.id, generation: 0, epoch: 1, seq: 2, expiresS: 1_800_000_000 });
    expect(ITEMS.decodeKey(bytes, first!.keyAt, first!.keyBytes)).toBe('a');
    expect(ITEMS.decode(bytes, first!.bodyAt, first!.bodyBytes)).toEqual(item('x', 1, 50));
    expect(entries.at(-1)).toMatchObject({ schemaId: NUMBERS.id, keyBytes: 0, bodyBytes: 0, epoch: 1, seq: 9 });
  });
});

describe('the end of a segment', () => {
  const end = batches[1]!.offset;

  it('is whole, or zeros that were never written', () => {
    expect(readEnd(bytes)).toEqual({ validBytes: bytes.length, restBytes: 0, is: 'whole' });
    const longer = new Uint8Array(bytes.length + 100);
    longer.set(bytes);
    expect(readEnd(longer)).toEqual({ validBytes: bytes.length, restBytes: 100, is: 'zeros' });
  });

  it('is a tail where nothing behind it checks', () => {
    for (const rest of [1, 30, batches[1]!.bytes - 1])
      expect(readEnd(bytes.subarray(0, end + rest))).toEqual({ validBytes: end, restBytes: rest, is: 'tail' });
    const flipped = bytes.slice();
    flipped[bytes.length - 1] = flipped[bytes.length - 1]! ^ 1;
    expect(readEnd(flipped)).toMatchObject({ validBytes: batches[2]!.offset, is: 'tail' });
  });

  it('is damage where a batch behind it checks', () => {
    for (const at of [0, 20, end, end + 12, batches[2]!.offset - 1]) {
      const flipped = bytes.slice();
      flipped[at] = flipped[at]! ^ 64;
      const validBytes = at < end ? 0 : end;
      expect(readEnd(flipped)).toEqual({ validBytes, restBytes: bytes.length - validBytes, is: 'damage' });
    }
  });
});
