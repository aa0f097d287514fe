import { describe, expect, it } from '@jest/globals';
import { compileSchema } from '@niobe/cells';
import { item, ITEMS, LOOSE, newRig, newSchemas, NUMBERS, type Rig } from '../../test/harness.ts';
import type { MemoryReport } from './memory-report.ts';
import { MemorySurvey } from './memory-survey.ts';

function surveyOf({ arena, clock, subject }: Rig, largest = 3): MemorySurvey {
  return new MemorySurvey({ arena, stores: () => [subject.store], schemas: subject.schemas, clock, largest });
}

function reportOf(rig: Rig, largest = 3): MemoryReport {
  const survey = surveyOf(rig, largest);
  while (!survey.slice(1));
  return survey.report();
}

describe('a memory report', () => {
  const rig = newRig();
  const { subject } = rig;
  subject.batch(() => {
    for (let i = 0; i < 100; i++) subject.put(ITEMS, `key ${i}`, item('x'.repeat(i), i, i * 10));
    for (let i = 0; i < 50; i++) subject.put(NUMBERS, i, { value: i });
    for (let i = 0; i < 20; i++) subject.create(LOOSE, item('y', i));
  });
  for (let i = 0; i < 10; i++) subject.batch(() => subject.delete(ITEMS, `key ${i}`));
  const report = reportOf(rig);
  const ofSchema = (name: string) => report.schemas.find((one) => one.name === name)!;

  it('adds up', () => {
    const { arena, cells, cellBytes, otherLiveBytes, schemas } = report;
    expect(arena.live + arena.dead + arena.free).toBe(arena.bytes);
    expect(cellBytes + otherLiveBytes).toBe(arena.live);
    expect(cells).toBe(90 + 50 + 20);
    expect(schemas.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(cellBytes);
    for (const { bytes, headerBytes, keyBytes, bodyBytes, layoutBytes, fields } of schemas) {
      expect(headerBytes + keyBytes + bodyBytes).toBe(bytes);
      expect(layoutBytes + fields.reduce((sum, field) => sum + field.bytes, 0)).toBe(bodyBytes);
      expect(layoutBytes).toBeGreaterThan(0);
    }
  });

  it('tells the bytes of each field', () => {
    const lengths = Array.from({ length: 90 }, (_, i) => i + 10);
    const labels = lengths.reduce((sum, length) => sum + length, 0);
    expect(ofSchema('items').fields).toEqual([
      { name: 'label', bytes: labels + 90 * 2 },
      { name: 'count', bytes: 90 * 8 },
      { name: 'high', bytes: 90 * 8 },
      { name: 'blob', bytes: labels * 10 + 90 * 2 },
    ]);
    expect(ofSchema('numbers')).toMatchObject({
      cells: 50,
      keyBytes: 50 * 8,
      fields: [{ name: 'value', bytes: 50 * 4 }],
    });
    expect(ofSchema('loose')).toMatchObject({ cells: 20, keyBytes: 0, keyIndexBytes: 0 });
  });

  it('names the largest cells, and nothing of what they hold', () => {
    const expected = [99, 98, 97].map((i) => {
      const slot = subject.find(ITEMS, `key ${i}`);
      return { schema: 'items', id: subject.store.idOf(slot), partition: 3, bytes: subject.store.entryBytes(slot) };
    });
    expect(report.largest).toEqual(expected);
    expect(reportOf(rig, 0).largest).toEqual([]);
    expect(JSON.stringify(report)).not.toMatch(/key \d|xxx/);
  });

  it('shares the key index among the schemas that use it', () => {
    const shares = report.schemas.reduce((sum, { keyIndexBytes }) => sum + keyIndexBytes, 0);
    expect(Math.abs(shares - report.keyIndexBytes)).toBeLessThan(3);
    expect(report.keyIndexBytes).toBeGreaterThan(0);
    expect(report.slots).toBeGreaterThanOrEqual(170);
  });

  it('tells how large dictionaries are', () => {
    const declaration = {
      name: 'places',
      key: 'text',
      fields: {
        country: { type: 'dict', values: ['CH', 'Österreich'] },
        address: { type: 'record', fields: { kind: { type: 'dict', values: ['home'] } } },
      },
    };
    const places = compileSchema(30, 1, declaration);
    const schemas = newSchemas();
    schemas.add(places);
    const other = newRig({ partial: { schemas } });
    other.subject.batch(() => other.subject.put(places, 'a', { country: 'CH', address: { kind: 'home' } }));
    expect(reportOf(other).schemas[0]?.dictionaries).toEqual([
      { field: 'country', values: 2, bytes: 13 },
      { field: 'address.kind', values: 1, bytes: 4 },
    ]);
  });

  it('is made in slices, while cells are written', () => {
    const busy = newRig();
    const put = (from: number): void => {
      busy.subject.batch(() => {
        for (let i = from; i < from + 2_000; i++) busy.subject.put(NUMBERS, i, { value: 1 });
      });
    };
    put(0);
    const survey = surveyOf(busy);
    let slices = 1;
    for (; !survey.slice(0); slices++) put(0);
    put(2_000);
    expect(slices).toBeGreaterThan(3);
    expect(survey.report().cells).toBe(2_000);
  });
});
