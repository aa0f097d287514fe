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

function endless(): unknown {
  const list: unknown[] = [];
  list.push(list);
  return list;
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

  it('of old declarations are what they were', () => {
    const fields: Record<string, FieldDeclaration> = {
      count: { type: 'u64', merge: 'add' },
      text: { type: 'text', optional: true },
      flags: { type: 'bool', array: true },
      names: { type: 'text', array: true },
      none: { type: 'i32', optional: true },
    };
    const body = encode(fields, { count: 258, text: 'ä', flags: [true, false], names: ['a', ''] });
    expect(Buffer.from(body).toString('hex')).toBe(
      ['05', '02', '0201000000000000', '00000000', '160018002100', 'c3a4', '0100', '01000000', '61', '00000000'].join(
        '',
      ),
    );
  });

  it('keep nulls in lists, and lists in lists of records', () => {
    const fields: Record<string, FieldDeclaration> = {
      numbers: { type: 'i16', array: true, nullItems: true },
      three: { type: 'u8', array: 3, nullItems: true },
      texts: { type: 'text', array: true, nullItems: true, optional: true },
      lines: { type: 'record', array: true, nullItems: true, fields: { tags: { type: 'text', array: true } } },
    };
    const record = {
      numbers: [null, -1, null],
      three: [1, null, 0],
      texts: [],
      lines: [{ tags: [] }, null, { tags: ['', 'a'] }],
    };
    expect(roundTrip(fields, record)).toStrictEqual(record);
    expect(roundTrip(fields, { ...record, numbers: [], texts: null, lines: [] })).toStrictEqual({
      ...record,
      numbers: [],
      texts: null,
      lines: [],
    });
  });

  it('take a UUID in either case and give it in lower case', () => {
    const uuid = '01234567-89AB-cdef-0123-456789ABCDEF';
    expect(roundTrip({ a: { type: 'uuid' } }, { a: uuid })).toEqual({ a: uuid.toLowerCase() });
  });

  it('have dates of all years from 0 to 9999', () => {
    for (const date of ['0000-01-01', '0099-12-31', '1970-01-01', '2000-02-29', '9999-12-31'])
      expect(roundTrip({ a: { type: 'date' } }, { a: date })).toEqual({ a: date });
    expect(
      schemaOf({ a: { type: 'date' } }).readNumber(encode({ a: { type: 'date' } }, { a: '1970-01-02' }), 0, 0),
    ).toBe(1);
  });

  it('have records nested as deep as they may be declared', () => {
    let fields: Record<string, FieldDeclaration> = { leaf: { type: 'char' } };
    let record: CellRecord = { leaf: '\u{1f600}' };
    for (let depth = 1; depth < 8; depth++) {
      fields = { inner: { type: 'record', fields } };
      record = { inner: record };
    }
    expect(roundTrip(fields, record)).toStrictEqual(record);
    expect(() => schemaOf({ outer: { type: 'record', fields } })).toThrow(/nested at most 8 deep/);
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
  const refused: [string, FieldDeclaration, unknown, string?][] = [
    ['a lone surrogate', { type: 'text' }, 'a\ud800'],
    ['a lone surrogate in an array', { type: 'text', array: true }, ['a', '\udc00'], 'value[1]'],
    ['too long a text', { type: 'text', maxBytes: 3 }, 'ää'],
    ['too long bytes', { type: 'bytes', maxBytes: 1 }, new Uint8Array(2)],
    ['too many items', { type: 'i32', array: true, maxItems: 1 }, [1, 2]],
    ['a null in an array', { type: 'i32', array: true }, [1, null], 'value[1]'],
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
    ['null where there is a default', { type: 'i32', default: 1 }, null],
    ['too large an i8', { type: 'i8' }, 128],
    ['too small an i16', { type: 'i16' }, -32_769],
    ['too large a u8 as bigint', { type: 'u8' }, 256n],
    ['too large an f32', { type: 'f32' }, 1e39],
    ['no float', { type: 'f32' }, 1n],
    ['two code points as char', { type: 'char' }, 'ab'],
    ['no code point as char', { type: 'char' }, ''],
    ['a lone surrogate as char', { type: 'char' }, '\ud800'],
    ['a UUID without dashes', { type: 'uuid' }, '0123456789abcdef0123456789abcdef'],
    ['a day that no month has', { type: 'date' }, '2023-02-29'],
    ['a date of five digits', { type: 'date' }, '12023-02-01'],
    ['a number as date', { type: 'date' }, 5],
    ['three numbers for two', { type: 'pos2' }, [1, 2, 3]],
    ['text as position', { type: 'pos3' }, ['1', '2', '3']],
    ['a latitude beyond the pole', { type: 'geo' }, { lat: 90.5, lon: 0 }],
    ['a longitude that is no number', { type: 'geo' }, { lat: 0, lon: NaN }],
    ['a place with more than two numbers', { type: 'geo' }, { lat: 0, lon: 0, height: 1 }],
    ['no JSON', { type: 'json' }, { a: undefined, b: 1n }],
    ['an infinite number in JSON', { type: 'json' }, [Infinity]],
    ['a lone surrogate in JSON', { type: 'json' }, { '\udc00': 1 }],
    ['a date object in JSON', { type: 'json' }, new Date(0)],
    ['JSON that holds itself', { type: 'json' }, endless()],
    ['too long JSON', { type: 'json', maxBytes: 3 }, [10]],
    ['less than min', { type: 'i64', min: '-10000000000000000' }, -10000000000000001n],
    ['more than max', { type: 'decimal', scale: 2, max: '9.99' }, '10.00'],
    ['no number where there are bounds', { type: 'f64', min: 0 }, NaN],
    ['a date before min', { type: 'date', min: '2020-01-01' }, '2019-12-31'],
    ['more than max in a list', { type: 'u8', max: 5, array: true }, [5, 6], 'value[1]'],
    ['too few items', { type: 'u8', array: 3 }, [1, 2]],
    ['a null item where items are never null', { type: 'text', array: 2 }, ['a', null], 'value[1]'],
    ['no record', { type: 'record', fields: {} }, 5],
    ['a list as record', { type: 'record', fields: {} }, []],
    ['an unknown field of a record', { type: 'record', fields: {} }, { extra: 1 }, 'value.extra'],
    ['a missing field of a record', { type: 'record', fields: { a: { type: 'u8' } } }, {}, 'value.a'],
    [
      'a wrong field of a record in a list in a record',
      { type: 'record', fields: { lines: { type: 'record', array: true, fields: { price: { type: 'u8' } } } } },
      { lines: [{ price: 1 }, { price: 2 }, { price: 300 }] },
      'value.lines[2].price',
    ],
    [
      'a wrong item of a list of a record in a list',
      { type: 'record', array: true, fields: { value: { type: 'u8', array: true } } },
      [{ value: [] }, { value: [1, -1] }],
      'value[1].value[1]',
    ],
  ];

  it.each(refused)('%s', (_, field, value, path = 'value') => {
    const attempt = (): unknown => encode({ value: field }, { value } as CellRecord);
    expect(attempt).toThrow(expect.objectContaining({ code: 'SCHEMA_VIOLATION', details: { path } }));
  });

  it('a text that a dict does not have yet, which may be known soon', () => {
    const field: FieldDeclaration = { type: 'dict', values: ['a'], maxBytes: 3 };
    const attempt = (value: string) => () =>
      encode({ lines: { type: 'record', array: true, fields: { field } } }, { lines: [{ field: value }] });
    expect(attempt('b')).toThrow(expect.objectContaining({ code: 'NOT_READY', details: { path: 'lines[0].field' } }));
    expect(attempt('long')).toThrow(expect.objectContaining({ code: 'SCHEMA_VIOLATION' }));
  });

  it('what makes a cell larger than 1 MiB', () => {
    const text: FieldDeclaration = { type: 'text', maxBytes: 1024 * 1024 };
    const record = { a: 'x'.repeat(600_000), b: { c: 'y'.repeat(600_000) }, d: null };
    expect(() => encode({ a: text, b: { type: 'record', fields: { c: text } } }, { a: record.a, b: record.b })).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE', details: { path: 'b', maxBytes: 1024 * 1024 } }),
    );
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
          // The null of JSON is a value: a field that must have one may have it.
          const isAbsent = record[field.name] === null && field.declaration.optional === true;
          expect(schema.isNull(body, 0, field.index)).toBe(isAbsent);
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
