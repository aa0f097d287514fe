import { describe, expect, it } from '@jest/globals';
import { cellIdOf, type CellRecord, type CompiledSchema } from '@niobe/cells';
import { ByteWriter } from '@niobe/kernel';
import { indexHash } from './key-tables.ts';
import { item, ITEMS, MIB, newRig, NUMBERS, type Rig } from '../test/harness.ts';

/** More than two groups. */
const CELLS = 700;
const code = (name: string): unknown => expect.objectContaining({ code: name });

/** Cells of keys and bodies of many lengths, some with an expiry; ids in order of their numbers. */
function filled(): Rig & { readonly ids: number[] } {
  const rig = newRig();
  const { subject, clock } = rig;
  const expiresS = Math.ceil(clock.nowMs() / 1000) + 100;
  subject.batch(() => {
    for (let n = 0; n < CELLS; n++) subject.put(ITEMS, keyOf(n), recordOf(n), n % 3 === 0 ? expiresS : 0);
  });
  const ids = Array.from({ length: CELLS }, (_, n) => subject.store.idOf(subject.find(ITEMS, keyOf(n))));
  return { ...rig, ids };
}

function keyOf(n: number): string {
  return `${'k'.repeat(n % 9)}${n}`;
}

function recordOf(n: number): CellRecord {
  return item('l'.repeat(n % 7), n, n % 50);
}

/** The records of a result that begins at `at`, null where there is no cell; asserts what lies around the bodies. */
function recordsOf(schema: CompiledSchema, out: ByteWriter, at: number, count: number): (CellRecord | null)[] {
  const view = new DataView(out.buffer.buffer);
  let end = at + 8 * count;
  const records = Array.from({ length: count }, (_, i) => {
    const start = at + view.getUint32(at + 8 * i, true);
    const bytes = view.getUint32(at + 8 * i + 4, true);
    if (bytes === 0) return null;
    expect(start - end).toBeLessThan(7);
    expect(out.buffer.slice(end, start).every((byte) => byte === 0)).toBe(true);
    end = start + bytes;
    return schema.decode(out.buffer, start, bytes);
  });
  expect(out.length - end).toBeLessThan(4);
  return records;
}

function joined(keys: readonly string[]): { bytes: Uint8Array; starts: Uint32Array } {
  const writer = new ByteWriter(MIB);
  const starts = new Uint32Array(keys.length + 1);
  for (const [i, key] of keys.entries()) {
    writer.utf8(key);
    starts[i + 1] = writer.length;
  }
  return { bytes: writer.finish(), starts };
}

describe('reading many cells', () => {
  it('gives the bodies of ids in one buffer, behind what is there', () => {
    const { subject, ids } = filled();
    const out = new ByteWriter(MIB);
    out.u8(7);
    expect(subject.store.getMany(Float64Array.from(ids), CELLS, out)).toBe(CELLS);
    expect(recordsOf(ITEMS, out, 4, CELLS)).toStrictEqual(ids.map((_, n) => recordOf(n)));
    expect(Array.from(out.buffer.subarray(0, 4))).toEqual([7, 0, 0, 0]);
  });

  it('leaves empty what is no cell: deleted, expired, of elsewhere, or no id at all', () => {
    const { clock, subject, ids } = filled();
    subject.batch(() => subject.delete(ITEMS, keyOf(1)));
    clock.advance(200_000);
    const strange = [Number.NaN, -1, -ids[2]!, ids[2]! + 0.5, Infinity, 2 ** 53, cellIdOf(4, 0, 2), cellIdOf(3, 1, 2)];
    const asked = Float64Array.from([ids[0]!, ids[1]!, ids[2]!, ...strange, cellIdOf(3, 0, 2 ** 32 - 1)]);
    const out = new ByteWriter(MIB);
    expect(subject.store.getMany(asked, asked.length, out)).toBe(1);
    expect(recordsOf(ITEMS, out, 0, asked.length).map((record) => record !== null)).toEqual(
      Array.from(asked, (_, i) => i === 2),
    );
    for (const id of strange) expect(subject.store.slotOfId(id)).toBe(-1);
  });

  it('gives the bodies of keys, also of those that the index cannot tell apart', () => {
    const { subject } = filled();
    const [one, other] = twins(ITEMS);
    subject.batch(() => {
      subject.put(ITEMS, one, item('one', 1));
      subject.put(ITEMS, other, item('other', 2));
    });
    const asked = [...Array.from({ length: CELLS }, (_, n) => keyOf(n)), other, 'nobody', one];
    const { bytes, starts } = joined(asked);
    const out = new ByteWriter(MIB);
    expect(subject.store.getManyByKey(ITEMS.id, bytes, starts, asked.length, out)).toBe(CELLS + 2);
    const expected = asked.map((key) => subject.get(ITEMS, key));
    expect(recordsOf(ITEMS, out, 0, asked.length)).toStrictEqual(expected);
    expect(expected.slice(CELLS)).toStrictEqual([item('other', 2), null, item('one', 1)]);
  });

  it('leaves the buffer as it was where it has no room', () => {
    const { subject, ids } = filled();
    const out = new ByteWriter(12_000);
    out.u32(7);
    expect(() => subject.store.getMany(Float64Array.from(ids), CELLS, out)).toThrow(code('TOO_LARGE'));
    expect(out.length).toBe(4);
  });

  it('says which keys have a cell', () => {
    const { subject } = filled();
    const { bytes, starts } = joined([keyOf(5), 'nobody']);
    const exists = (i: number): boolean =>
      subject.store.exists(ITEMS.id, bytes, starts[i]!, starts[i + 1]! - starts[i]!);
    expect([exists(0), exists(1)]).toEqual([true, false]);
  });

  it('projects the cells of ids into columns, as many as have room', () => {
    const { subject, ids } = filled();
    subject.batch(() => subject.put(NUMBERS, 1, { value: 1 }));
    const number = subject.store.idOf(subject.find(NUMBERS, 1));
    const asked = Float64Array.from([number, ...ids, ids[0]! + 0.5]);
    const projection = ITEMS.compileProjection([{ path: 'count' }], { rowsMax: 400, bytesMax: MIB });
    const rows = new Int32Array(asked.length);
    const { values } = projection.columns[0]!;
    const project = (from: number): number =>
      from + subject.store.project(ITEMS.id, asked.subarray(from), asked.length - from, projection, rows);
    const first = project(0);
    expect([first, projection.rows, rows[0], rows[400]]).toEqual([401, 400, -1, 399]);
    expect(values.kind === 'numbers' && [...values.values.subarray(0, 400)]).toEqual(
      Array.from({ length: 400 }, (_, n) => n),
    );
    projection.clear();
    expect([project(first), projection.rows, rows[300], rows[301 - 1]]).toEqual([asked.length, 300, -1, -1]);
    expect(values.kind === 'numbers' && values.values[299]).toBe(699);
  });
});

/** Two keys of which the index knows the same: it keeps 27 bits of a hash. */
function twins(schema: CompiledSchema): [string, string] {
  const seen = new Map<number, string>();
  const writer = new ByteWriter(64);
  for (let n = 0; ; n++) {
    const key = `twin-${n}`;
    writer.reset();
    writer.utf8(key);
    const bits = indexHash(schema.hashKey(writer.buffer, 0, writer.length));
    const other = seen.get(bits);
    if (other !== undefined) return [other, key];
    seen.set(bits, key);
  }
}
