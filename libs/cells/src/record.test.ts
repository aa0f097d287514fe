import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from '@niobe/kernel';
import fc from 'fast-check';
import { fieldOf, samples, SCALAR_TYPES } from '../test/arbitraries.ts';
import { compileSchema } from './schema.ts';
import type { CellRecord, FieldDeclaration } from './types.ts';

function schemaOf(fields: Record<string, FieldDeclaration>) {
  return compileSchema(16, 1, { name: 'sample', key: 'text', fields });
}

function encode(fields: Record<string, FieldDeclaration>, record: CellRecord): Uint8Array {
  const out = new ByteWriter(4 * 1024 * 1024);
  schemaOf(fields).encode(record, out);
  return out.finish();
}

function roundTrip(fields: Record<string, FieldDeclaration>, record: CellRecord): CellRecord {
  const body = encode(fields, record);
  const schema = schemaOf(fields);
  schema.check(body, 0, body.length);
  return schema.decode(body, 0, body.length);
}

describe('bodies', () => {
  it('give back every record, at any place in the bytes', () => {
    fc.assert(
      fc.property(samples, fc.nat(9), ({ declaration, record }, before) => {
        const schema = compileSchema(16, 1, declaration);
        const out = new ByteWriter(1024 * 1024);
        out.raw(new Uint8Array(before));
        schema.encode(record, out);
        out.u32(0xffffffff);
        const length = out.length - before - 4;
        schema.check(out.finish(), before, length);
        expect(schema.decode(out.finish(), before, length)).toStrictEqual(record);
      }),
      { numRuns: 500 },
    );
  });

  it('of equal records are equal bytes', () => {
    fc.assert(
      fc.property(samples, ({ declaration, record }) => {
        const turned = Object.fromEntries(Object.entries(record).toReversed());
        expect(encode(declaration.fields as Record<string, FieldDeclaration>, turned)).toEqual(
          encode(declaration.fields as Record<string, FieldDeclaration>, record),
        );
      }),
    );
  });

  it.each([NaN, -0, 0, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE])('keep the double %d', (value) => {
    expect(Object.is(roundTrip({ a: { type: 'f64' } }, { a: value })['a'], value)).toBe(true);
  });

  it('tell an absent value from an empty one', () => {
    const fields = { t: fieldOf('text', { optional: true }), l: fieldOf('i32', { optional: true, array: true }) };
    expect(roundTrip(fields, { t: '', l: [] })).toStrictEqual({ t: '', l: [] });
    expect(roundTrip(fields, {})).toStrictEqual({ t: null, l: null });
  });

  it('hold more than 64 KiB with wide end offsets', () => {
    const fields: Record<string, FieldDeclaration> = {
      a: { type: 'text', maxBytes: 200_000 },
      b: { type: 'bytes', optional: true, maxBytes: 200_000 },
      c: { type: 'text', array: true, maxBytes: 200_000 },
    };
    for (const length of [65_500, 65_520, 65_521, 65_522, 65_523, 65_530, 65_536, 150_000]) {
      const record = { a: 'x'.repeat(length), b: null, c: ['ä'] };
      expect(roundTrip(fields, record)).toStrictEqual(record);
    }
  });

  it('give integers beyond 2^53 as bigints and take either', () => {
    const fields = { a: fieldOf('i64'), b: fieldOf('u64'), c: fieldOf('i128') };
    expect(roundTrip(fields, { a: 5n, b: 2n ** 64n - 1n, c: -(2n ** 127n) })).toStrictEqual({
      a: 5,
      b: 2n ** 64n - 1n,
      c: -(2n ** 127n),
    });
    expect(roundTrip(fields, { a: -1, b: 1, c: -1 })).toStrictEqual({ a: -1, b: 1, c: -1 });
  });

  it('leave what was written before untouched where a record is refused', () => {
    const out = new ByteWriter(1024);
    out.u32(7);
    const schema = schemaOf({ a: fieldOf('text'), b: fieldOf('i32') });
    expect(() => schema.encode({ a: 'x' }, out)).toThrow(expect.objectContaining({ details: { path: 'b' } }));
    expect(out.length).toBe(4);
    schema.encode({ a: 'x', b: 1 }, out);
    expect(schema.decode(out.finish(), 4, out.length - 4)).toStrictEqual({ a: 'x', b: 1 });
  });
});

describe('a record is refused with the path of the field', () => {
  const refused: [string, FieldDeclaration, unknown][] = [
    ['a lone surrogate', { type: 'text' }, 'a\ud800'],
    ['a lone surrogate in an array', { type: 'text', array: true }, ['a', '\udc00']],
    ['too long a text', { type: 'text', maxBytes: 3 }, 'ää'],
    ['too long bytes', { type: 'bytes', maxBytes: 1 }, new Uint8Array(2)],
    ['too many items', { type: 'i32', array: true, maxItems: 1 }, [1, 2]],
    ['a null in an array', { type: 'i32', array: true }, [1, null]],
    ['no array', { type: 'i32', array: true }, 1],
    ['an array for a scalar', { type: 'i32' }, [1]],
    ['a fraction', { type: 'i64' }, 1.5],
    ['an unsafe integer as number', { type: 'i64' }, 2 ** 53],
    ['too large an i32', { type: 'i32' }, 2 ** 31],
    ['a negative u32', { type: 'u32' }, -1],
    ['a negative u64', { type: 'u64' }, -1n],
    ['too large a u64', { type: 'u64' }, 2n ** 64n],
    ['too large an i64', { type: 'i64' }, 2n ** 63n],
    ['too small an i64', { type: 'i64' }, -(2n ** 63n) - 1n],
    ['too large an i128', { type: 'i128' }, 2n ** 127n],
    ['a bigint double', { type: 'f64' }, 1n],
    ['a boolean double', { type: 'f64' }, true],
    ['NaN as an integer', { type: 'u32' }, NaN],
    ['a number as text', { type: 'text' }, 1],
    ['a text as bytes', { type: 'bytes' }, 'x'],
    ['a number as bool', { type: 'bool' }, 1],
    ['an unknown enum name', { type: 'enum', values: ['a'] }, 'b'],
    ['an enum index', { type: 'enum', values: ['a'] }, 0],
    ['time beyond dates', { type: 'timestamp' }, 8_640_000_000_000_001],
    ['a cell id of 53 bits', { type: 'id' }, 2 ** 52],
    ['a cell id of 53 bits as bigint', { type: 'id' }, 2n ** 52n],
    ['too many digits', { type: 'decimal', scale: 2 }, '1.234'],
    ['a boolean decimal', { type: 'decimal', scale: 2 }, true],
    ['null for a required field', { type: 'i32' }, null],
  ];

  it.each(refused)('%s', (_, field, value) => {
    const attempt = (): unknown => encode({ value: field }, { value } as CellRecord);
    expect(attempt).toThrow(expect.objectContaining({ code: 'SCHEMA_VIOLATION', details: { path: 'value' } }));
  });

  it('an undeclared field', () => {
    expect(() => encode({ a: fieldOf('i32') }, { a: 1, extra: 1 })).toThrow(
      expect.objectContaining({ code: 'SCHEMA_VIOLATION', details: { path: 'extra' } }),
    );
  });

  it('a missing field whose name every object has', () => {
    expect(() => encode({ constructor: fieldOf('text') }, {})).toThrow(
      expect.objectContaining({ details: { path: 'constructor' } }),
    );
  });
});

describe('single fields', () => {
  it('read as in the whole record', () => {
    fc.assert(
      fc.property(samples, ({ declaration, record }) => {
        const schema = compileSchema(16, 1, declaration);
        const out = new ByteWriter(1024 * 1024);
        schema.encode(record, out);
        const body = out.finish();
        for (const field of schema.fields) {
          expect(schema.read(body, 0, body.length, field.index)).toStrictEqual(record[field.name]);
          expect(schema.isNull(body, 0, field.index)).toBe(record[field.name] === null);
        }
      }),
    );
  });

  it('read as numbers and bigints', () => {
    const schema = schemaOf(Object.fromEntries(SCALAR_TYPES.map((type) => [type, fieldOf(type, { optional: true })])));
    const out = new ByteWriter(1024);
    schema.encode({ bool: true, i64: -3, u64: 2n ** 60n, i128: -7, decimal: '-1.5', enum: 'blue', f64: 0.5 }, out);
    const number = (name: string): number => schema.readNumber(out.buffer, 0, schema.field(name).index);
    const bigint = (name: string): bigint => schema.readBigint(out.buffer, 0, schema.field(name).index);
    expect(['bool', 'i64', 'u64', 'i128', 'decimal', 'enum', 'f64', 'i32'].map(number)).toEqual([
      1,
      -3,
      2 ** 60,
      -7,
      -1500,
      2,
      0.5,
      NaN,
    ]);
    expect(['i64', 'u64', 'i128', 'decimal', 'u32'].map(bigint)).toEqual([-3n, 2n ** 60n, -7n, -1500n, 0n]);
    expect(() => bigint('f64')).toThrow(expect.objectContaining({ code: 'SCHEMA_VIOLATION' }));
    expect(() => schema.field('nothing')).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});
