import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from '@niobe/kernel';
import fc from 'fast-check';
import { compileSchema } from './schema.ts';
import type { CellRecord } from './types.ts';
import { utf8Of } from './utf8.ts';

const schema = compileSchema(16, 1, {
  name: 's',
  key: 'text',
  fields: {
    first: { type: 'text', optional: true },
    count: { type: 'u64' },
    second: { type: 'bytes', optional: true, maxBytes: 4 },
    sum: { type: 'i128', optional: true },
    third: { type: 'text', optional: true },
  },
});

describe('the body builder', () => {
  it('writes bodies one after another, leaving out what is not set', () => {
    const builder = schema.bodyBuilder();
    const out = new ByteWriter(1000);
    const places: [number, number][] = [];
    for (const text of ['a', '', 'xyz']) {
      const at = out.length;
      builder.begin(out);
      builder.setNumber(1, text.length);
      builder.setText(4, utf8Of(text), 0, text.length);
      places.push([at, builder.end()]);
    }
    expect(places.map(([at, length]) => schema.decode(out.buffer, at, length))).toStrictEqual(
      ['a', '', 'xyz'].map((third) => ({ first: null, count: third.length, second: null, sum: null, third })),
    );
  });

  it('writes exact sums kept in two doubles', () => {
    const safe = fc.maxSafeInteger();
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), safe, (high, low) => {
        const builder = schema.bodyBuilder();
        const out = new ByteWriter(1000);
        builder.begin(out);
        builder.setNumber(1, 0);
        builder.setI128(3, high, low);
        schema.check(out.buffer, 0, builder.end());
        expect(schema.readBigint(out.buffer, 0, 3)).toBe(BigInt(high) * 2n ** 32n + BigInt(low));
      }),
    );
  });

  it('names a required field that was not set, and can be abandoned', () => {
    const builder = schema.bodyBuilder();
    const out = new ByteWriter(1000);
    builder.begin(out);
    builder.setText(0, utf8Of('abc'), 0, 3);
    expect(() => builder.end()).toThrow(expect.objectContaining({ details: { path: 'count' } }));
    expect(() => builder.setBytes(2, new Uint8Array(5), 0, 5)).toThrow(
      expect.objectContaining({ details: { path: 'second' } }),
    );
    builder.abandon();
    expect(out.length).toBe(0);
  });

  it('takes variable fields in any order, each once', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 2, 4]), fc.array(fc.nat(9)), (order, lengths) => {
        const builder = schema.bodyBuilder();
        const out = new ByteWriter(1000);
        const record = { first: null, count: 1, second: null, sum: null, third: null } as CellRecord;
        builder.begin(out);
        builder.setNumber(1, 1);
        for (const index of order) {
          const text = String(index).repeat((lengths[index] ?? index) % 5);
          builder.setText(index, utf8Of(text), 0, text.length);
          record[schema.fields[index]!.name] = index === 2 ? utf8Of(text) : text;
        }
        expect(schema.decode(out.buffer, 0, builder.end())).toStrictEqual(record);
      }),
    );
    const builder = schema.bodyBuilder();
    builder.begin(new ByteWriter(1000));
    builder.setText(0, utf8Of('a'), 0, 1);
    expect(() => builder.setText(0, utf8Of('a'), 0, 1)).toThrow(/set once/);
  });

  it('gives what is not set its default, unless it is said to be null', () => {
    const given = compileSchema(17, 1, {
      name: 's',
      key: 'text',
      fields: {
        text: { type: 'text', default: 'none' },
        number: { type: 'i16', default: -3, optional: true },
        list: { type: 'u8', array: true, default: [1, 2], optional: true },
        last: { type: 'text', optional: true },
      },
    });
    const builder = given.bodyBuilder();
    const out = new ByteWriter(1000);
    builder.begin(out);
    builder.setText(3, utf8Of('end'), 0, 3);
    expect(given.decode(out.buffer, 0, builder.end())).toEqual({ text: 'none', number: -3, list: [1, 2], last: 'end' });
    out.reset();
    builder.begin(out);
    builder.setNull(2);
    builder.setNull(1);
    expect(given.decode(out.buffer, 0, builder.end())).toEqual({ text: 'none', number: null, list: null, last: null });
  });
});
