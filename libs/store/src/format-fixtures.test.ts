import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SchemaTable } from '@niobe/cells';
import { ManualClock } from '@niobe/kernel';
import { writeLog } from '../fixtures/format-2/log.ts';
import { contentOf } from '../fixtures/log-content.ts';
import { MIB, optionsOf } from '../test/harness.ts';
import { Arena } from './arena.ts';
import { noEvents } from './events.ts';
import { PartitionStore } from './partition-store.ts';
import type { RecoveredSegment } from './recovered-copies.ts';
import { formatOf } from './segment-format.ts';
import { readBatches, readEnd, readStart } from './segment-reader.ts';

/** Files of segments as versions of this store wrote them: whoever has a log of this format can go on reading it. */

const folder = (format: number): string => join(import.meta.dirname, `../fixtures/format-${format}`);

function segmentsOf(format: number): RecoveredSegment[] {
  const names = readdirSync(folder(format)).filter((name) => name.endsWith('.segment'));
  return names.map((name) => {
    const bytes = new Uint8Array(readFileSync(join(folder(format), name)));
    return { segment: Number.parseInt(name, 10), bytes, durableBytes: bytes.length };
  });
}

/** Recovers them with no schema but those of the log, at the time when they were written. */
function recover(segments: readonly RecoveredSegment[]): { store: PartitionStore; schemas: SchemaTable } {
  const schemas = new SchemaTable();
  const options = optionsOf(new Arena({ bytes: 16 * MIB }), new ManualClock(1_700_000_010_000), noEvents, 2);
  return { store: PartitionStore.recover({ ...options, schemas }, segments), schemas };
}

describe('segments of format 2', () => {
  const segments = segmentsOf(2);
  const content = JSON.parse(readFileSync(join(folder(2), 'content.json'), 'utf8')) as ReturnType<typeof contentOf>;
  const entries = segments.flatMap(({ bytes }) => [...readBatches(bytes)].flatMap((batch) => batch.entries));

  it('give what was written', () => {
    const { store, schemas } = recover(segments);
    const names = Object.keys(content.schemas);
    const found = contentOf(
      store,
      names.map((name) => schemas.byName(name)!),
    );
    expect(found).toEqual(content);
    store.audit();
  });

  it('are whole, and have every kind of entry and header', () => {
    for (const { segment, bytes } of segments) {
      expect([formatOf(bytes), readStart(bytes)?.segment, readEnd(bytes).is]).toEqual([2, segment, 'whole']);
    }
    expect(new Set(entries.map(({ kind }) => kind))).toEqual(new Set(['cell', 'tombstone', 'schema']));
    const headers = entries.map(({ offset, keyAt }) => keyAt - offset);
    expect(new Set(headers)).toEqual(new Set([16, 20, 24]));
    expect(entries.some(({ expiresS }) => expiresS > 0)).toBe(true);
    expect(entries.some(({ keyBytes, kind }) => kind === 'cell' && keyBytes === 0)).toBe(true);
  });

  it('are what this version writes', () => {
    expect(writeLog().content).toEqual(content);
  });
});

describe('segments of other formats', () => {
  it('are refused by name, older and newer ones', () => {
    const newer = segmentsOf(2).map((one) => ({ ...one, bytes: one.bytes.slice() }));
    for (const { bytes } of newer) {
      bytes[2] = 3;
      bytes[30] = 0xff;
    }
    for (const [format, segments] of [
      [1, segmentsOf(1)],
      [3, newer],
    ] as const) {
      expect(segments.map(({ bytes }) => formatOf(bytes))).toEqual(segments.map(() => format));
      const refusal = { code: 'INCOMPATIBLE', details: expect.objectContaining({ partition: 3, format }) };
      expect(() => recover(segments)).toThrow(expect.objectContaining(refusal));
      expect(() => recover(segments)).toThrow(/this version reads 2/);
    }
  });
});
