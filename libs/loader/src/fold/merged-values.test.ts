import { describe, expect, it } from '@jest/globals';
import { compileSchema, type CompiledSchema } from '@niobe/cells';
import type { EventValue } from '@niobe/events';
import { ByteWriter } from '@niobe/kernel';
import fc from 'fast-check';
import { MergedValues } from './merged-values.ts';

const cells = compileSchema(16, 1, {
  name: 'cells',
  key: 'text',
  fields: {
    kept: { type: 'u32', optional: true, merge: 'keep' },
    replaced: { type: 'text', maxBytes: 64, optional: true },
    sum: { type: 'i64', optional: true, merge: 'add' },
    ratio: { type: 'f64', optional: true, merge: 'add' },
    least: { type: 'decimal', scale: 2, optional: true, merge: 'min' },
    most: { type: 'u64', optional: true, merge: 'max' },
    colour: { type: 'enum', values: ['red', 'green'], optional: true },
    flag: { type: 'bool', optional: true },
    blob: { type: 'bytes', maxBytes: 16, optional: true },
  },
});

const orNull = (values: fc.Arbitrary<EventValue>): fc.Arbitrary<EventValue> => fc.option(values);
const u64 = fc.oneof(fc.nat(), fc.bigInt({ min: 2n ** 60n, max: 2n ** 63n }));
const event = fc.tuple(
  orNull(fc.nat(1000)),
  orNull(fc.string({ maxLength: 20, unit: 'grapheme' }).filter((text) => Buffer.byteLength(text) <= 64)),
  orNull(fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 55n), max: 2n ** 55n }))),
  // Halves add up to the same whatever the order.
  orNull(fc.integer({ min: -1000, max: 1000 }).map((half) => half / 2)),
  orNull(fc.integer()),
  orNull(u64),
  orNull(fc.constantFrom('red', 'green')),
  orNull(fc.boolean()),
  orNull(fc.uint8Array({ maxLength: 16 })),
);

function bodyOf(schema: CompiledSchema, events: readonly (readonly EventValue[])[]): Uint8Array {
  const values = new MergedValues(schema);
  values.open(0);
  for (const told of events) told.forEach((value, field) => values.tell(0, field, value));
  const out = new ByteWriter(4096);
  const builder = schema.bodyBuilder();
  builder.begin(out);
  values.write(0, values.told(0), builder);
  builder.end();
  return out.finish();
}

function merged(old: Uint8Array, delta: Uint8Array): Uint8Array {
  const out = new Uint8Array(cells.mergedBytesMax(old.length, delta.length));
  return out.slice(0, cells.merge(old, 0, old.length, delta, 0, delta.length, out, 0));
}

describe('MergedValues', () => {
  it('joins what a run tells into one merge that does what the merges of all would do', () => {
    const events = fc.array(event, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(event, events, (stored, run) => {
        const old = bodyOf(cells, [stored]);
        const each = run.reduce((body, told) => merged(body, bodyOf(cells, [told])), old);
        expect(merged(old, bodyOf(cells, run))).toEqual(each);
      }),
    );
  });

  it('knows how far it was told', () => {
    const values = new MergedValues(cells);
    values.open(0);
    expect(values.told(0)).toBe(0);
    values.tell(0, 3, null);
    expect(values.told(0)).toBe(4);
    values.open(1);
    expect(values.told(1)).toBe(0);
  });

  it('passes over what a sum cannot take', () => {
    const values = new MergedValues(cells);
    values.open(0);
    for (const value of [2n ** 62n, 2n ** 62n, 5, -1]) values.tell(0, 2, value);
    expect(values.overflows).toBe(1);
    const out = new ByteWriter(4096);
    const builder = cells.bodyBuilder();
    builder.begin(out);
    values.write(0, 3, builder);
    const length = builder.end();
    expect(cells.decode(out.buffer, 0, length)['sum']).toBe(2n ** 62n + 4n);
  });
});
