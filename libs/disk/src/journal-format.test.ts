import { describe, expect, it } from '@jest/globals';
import type { Attempt, Change } from '@niobe/replication';
import { pattern } from '../fixtures/scratch.ts';
import {
  readRecord,
  readRoundHeader,
  writeCatalogue,
  writeChange,
  writeRoundHeader,
  type JournalRecord,
} from './journal-format.ts';

const ATTEMPT: Attempt = { epoch: 77, owner: 'shard-ü@0123456789abcdef' };
const IDENTITY = pattern(16, 3);
const ROUND = 2 ** 40 + 5;
const PLACE = { segment: 4_000_000_000, segmentEpoch: 1_000_000 };

const CHANGES: Change[] = [
  { kind: 'register' },
  { kind: 'append', ...PLACE, offset: 8_000_000, committedBytes: 8_000_100, bytes: pattern(100, 1) },
  { kind: 'append', ...PLACE, offset: 5, committedBytes: 0, bytes: new Uint8Array(0) },
  { kind: 'repair', ...PLACE, offset: 7, bytes: pattern(9, 2) },
  { kind: 'truncate', ...PLACE, length: 4_096 },
  { kind: 'free', ...PLACE },
  { kind: 'complete', completeEpoch: 12 },
];

function written(change: Change, round = ROUND): Uint8Array {
  const bytes = new Uint8Array(1_000);
  return bytes.subarray(0, writeChange(bytes, 3, round, 4_095, ATTEMPT, change));
}

describe('A record of the journal', () => {
  it.each(CHANGES.map((change) => [change.kind, change] as const))('is read as it was written: %s', (_, change) => {
    const bytes = written(change);
    const attempt = change.kind === 'register' ? ATTEMPT : expect.anything();
    const content = { kind: 'change', partition: 4_095, attempt, change };
    expect(readRecord(bytes, 3, ROUND)).toEqual({ content, isWhole: true, end: bytes.length });
  });

  it('is read as it was written: catalogue', () => {
    const bytes = new Uint8Array(500);
    const catalogue = { revision: 2 ** 50, bytes: pattern(300, 4) };
    const end = writeCatalogue(bytes, 0, ROUND, catalogue);
    const expected: JournalRecord = { content: { kind: 'catalogue', catalogue }, isWhole: true, end };
    expect(readRecord(bytes, 0, ROUND)).toEqual(expected);
  });

  it('does not check with any bit of it changed, nor cut short, nor in another round', () => {
    for (const change of CHANGES) {
      const bytes = written(change);
      for (let bit = 3 * 8; bit < bytes.length * 8; bit++) {
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(readRecord(bytes, 3, ROUND)?.isWhole).not.toBe(true);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
      }
      for (let end = 0; end < bytes.length; end++)
        expect(readRecord(bytes.subarray(0, end), 3, ROUND)?.isWhole).not.toBe(true);
      expect(readRecord(bytes, 3, ROUND - 1)).toBeNull();
      expect(readRecord(written(change, ROUND - 1), 3, ROUND)).toBeNull();
    }
  });
});

describe('The header of a round', () => {
  it('is read as it was written, by its own store, and with no bit changed', () => {
    const bytes = new Uint8Array(100);
    writeRoundHeader(bytes, 8, IDENTITY, ROUND, 123_456);
    expect(readRoundHeader(bytes, 8, IDENTITY)).toEqual({ round: ROUND, bodyBytes: 123_456 });
    expect(readRoundHeader(bytes, 8, pattern(16, 4))).toBeNull();
    expect(readRoundHeader(bytes.subarray(0, 71), 8, IDENTITY)).toBeNull();
    for (let bit = 8 * 8; bit < 72 * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(readRoundHeader(bytes, 8, IDENTITY)).toBeNull();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
});
