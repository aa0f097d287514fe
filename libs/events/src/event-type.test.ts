import { describe, expect, it } from '@jest/globals';
import { parseDecimal } from '@niobe/cells';
import { isNiobeError, type NiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import type { EventFieldDeclaration, EventTypeDeclaration } from './event-declaration.ts';
import { EventType } from './event-type.ts';
import type { EventValue } from './field-reader.ts';

const purchase: EventTypeDeclaration = {
  type: 'purchase',
  topic: 'shop',
  key: 'product',
  user: 'user',
  fields: {
    product: { type: 'text', maxBytes: 8 },
    quantity: { type: 'i64' },
    price: { type: 'decimal', scale: 3 },
    user: { type: 'text', optional: true },
  },
};

function read(type: EventType, data: unknown, unknown: 'refuse' | 'ignore' = 'refuse'): EventValue[] {
  const values: EventValue[] = [];
  type.read(data, values, unknown, 'data');
  return values;
}

function refusal(work: () => unknown): NiobeError {
  try {
    work();
  } catch (error) {
    if (isNiobeError(error)) return error;
    throw error;
  }
  throw new Error('was taken');
}

/** One field alone: its value, or the refusal's path. */
function readField(field: EventFieldDeclaration, value: unknown): EventValue | { refused: string } {
  const type = new EventType({ type: 't', topic: 'x', key: null, fields: { f: field } });
  try {
    return read(type, { f: value })[0]!;
  } catch (error) {
    if (!isNiobeError(error, 'SCHEMA_VIOLATION')) throw error;
    return { refused: String(error.details.path) };
  }
}

const refused = { refused: 'data.f' };

describe('EventType', () => {
  it('gives typed values by field index', () => {
    const type = new EventType(purchase);
    expect(read(type, { price: 2.55, product: '85123A', quantity: 6 })).toEqual(['85123A', 6, 2550, null]);
    expect(type.keyField).toBe(0);
    expect(type.userField).toBe(3);
  });

  it('names the path of what is wrong', () => {
    const type = new EventType(purchase);
    const good = { product: 'a', quantity: 1, price: '1' };
    expect(refusal(() => read(type, []))).toMatchObject({ code: 'SCHEMA_VIOLATION', details: { path: 'data' } });
    expect(refusal(() => read(type, { product: 'a', price: 1 })).details.path).toBe('data.quantity');
    expect(refusal(() => read(type, { ...good, quantity: null })).details.path).toBe('data.quantity');
    expect(refusal(() => read(type, { ...good, colour: 'red' })).details.path).toBe('data.colour');
    expect(
      refusal(() => read(type, JSON.parse('{"product":"a","quantity":1,"price":1,"__proto__":1}'))).details.path,
    ).toBe('data.__proto__');
  });

  it('passes over what is not declared where it may', () => {
    expect(
      read(new EventType(purchase), { product: 'a', quantity: 1, price: 1, colour: 'red' }, 'ignore'),
    ).toHaveLength(4);
  });

  it('never reads a member of Object.prototype', () => {
    const type = new EventType({ ...purchase, fields: { toLocale: { type: 'text', optional: true } }, key: null });
    expect(read(type, {})).toEqual([null]);
  });

  it('keys by the declared field, by the id where it is absent or empty', () => {
    const type = new EventType({ ...purchase, key: 'user' });
    expect(type.keyOf(['a', 1, 1, 'u1'], 'id-1')).toBe('u1');
    expect(type.keyOf(['a', 1, 1, null], 'id-1')).toBe('id-1');
    expect(type.keyOf(['a', 1, 1, ''], 'id-1')).toBe('id-1');
    expect(new EventType({ ...purchase, key: null }).keyOf(['a', 1, 1, 'u1'], 'id-1')).toBe('id-1');
    expect(new EventType({ ...purchase, key: 'quantity' }).keyOf(['a', 0, 1, 'u1'], 'id-1')).toBe('0');
  });
});

describe('fields', () => {
  it('read integers within their range', () => {
    expect(readField({ type: 'i32' }, -2147483648)).toBe(-2147483648);
    expect(readField({ type: 'i32' }, 2147483648)).toEqual(refused);
    expect(readField({ type: 'u32' }, -1)).toEqual(refused);
    expect(Object.is(readField({ type: 'i32' }, -0), 0)).toBe(true);
    expect(readField({ type: 'i32' }, 1.5)).toEqual(refused);
    expect(readField({ type: 'i32' }, '1')).toEqual(refused);
  });

  it('read 64-bit integers from numbers that are safe and from text', () => {
    expect(readField({ type: 'i64' }, Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
    expect(readField({ type: 'i64' }, 2 ** 53)).toEqual(refused);
    expect(readField({ type: 'i64' }, '9223372036854775807')).toBe(9223372036854775807n);
    expect(readField({ type: 'i64' }, '-9223372036854775809')).toEqual(refused);
    expect(readField({ type: 'u64' }, '18446744073709551615')).toBe(18446744073709551615n);
    expect(readField({ type: 'u64' }, '18446744073709551616')).toEqual(refused);
    expect(readField({ type: 'u64' }, -1)).toEqual(refused);
    expect(readField({ type: 'u64' }, '-1')).toEqual(refused);
    expect(readField({ type: 'i64' }, '42')).toBe(42);
    expect(readField({ type: 'i64' }, '042')).toEqual(refused);
  });

  it('read decimals exactly as cells do, as number and as text', () => {
    const decimal = fc.tuple(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }), fc.nat(9)).map(([n, at]) => n / 10 ** at);
    const oracle = (value: number | string, scale: number): EventValue | { refused: string } => {
      try {
        return parseDecimal(value, scale);
      } catch {
        return refused;
      }
    };
    fc.assert(
      fc.property(fc.oneof(decimal, fc.double()), fc.nat(9), (value, scale) => {
        expect(readField({ type: 'decimal', scale }, value)).toEqual(oracle(value, scale));
        expect(readField({ type: 'decimal', scale }, String(value))).toEqual(oracle(String(value), scale));
      }),
      { numRuns: 2000 },
    );
    expect(readField({ type: 'decimal', scale: 3 }, 0.1 + 0.2)).toEqual(refused);
    expect(readField({ type: 'decimal', scale: 2 }, 1.005)).toEqual(refused);
    expect(Object.is(readField({ type: 'decimal', scale: 2 }, -0), 0)).toBe(true);
  });

  it('bound text in UTF-8 bytes and refuse half surrogates', () => {
    expect(readField({ type: 'text', maxBytes: 4 }, 'äö')).toBe('äö');
    expect(readField({ type: 'text', maxBytes: 4 }, 'äöü')).toEqual(refused);
    expect(readField({ type: 'text' }, '\ud800')).toEqual(refused);
    expect(readField({ type: 'text' }, '')).toBe('');
    expect(readField({ type: 'text' }, 7)).toEqual(refused);
  });

  it('read bytes, times, enums, floats and arrays', () => {
    expect(readField({ type: 'bytes' }, 'aGk=')).toEqual(Buffer.from('hi'));
    expect(readField({ type: 'bytes' }, 'aGk')).toEqual(refused);
    expect(readField({ type: 'bytes', maxBytes: 1 }, 'aGk=')).toEqual(refused);
    expect(readField({ type: 'timestamp' }, '1970-01-01T00:00:01Z')).toBe(1000);
    expect(readField({ type: 'timestamp' }, 1000.5)).toEqual(refused);
    expect(readField({ type: 'enum', values: ['a', 'b'] }, 'b')).toBe('b');
    expect(readField({ type: 'enum', values: ['a', 'b'] }, 'c')).toEqual(refused);
    expect(readField({ type: 'f64' }, JSON.parse('1e999'))).toEqual(refused);
    expect(readField({ type: 'bool' }, 0)).toEqual(refused);
    expect(readField({ type: 'i32', array: true, maxItems: 2 }, [1, 2])).toEqual([1, 2]);
    expect(readField({ type: 'i32', array: true, maxItems: 2 }, [1, 2, 3])).toEqual(refused);
    expect(readField({ type: 'i32', array: true }, [1, null])).toEqual({ refused: 'data.f[1]' });
  });

  it('throw nothing but SCHEMA_VIOLATION, whatever comes, and take what a naive oracle takes', () => {
    const types = ['bool', 'i32', 'u32', 'i64', 'u64', 'f64', 'decimal', 'text', 'bytes', 'timestamp', 'enum'] as const;
    const field = fc.record({ type: fc.constantFrom(...types), array: fc.boolean(), optional: fc.boolean() });
    const value = fc.oneof(
      fc.jsonValue({ depthSize: 'small' }),
      fc.integer(),
      fc.bigInt().map(String),
      fc.date().map((d) => d.toJSON()),
    );
    fc.assert(
      fc.property(field, value, (shape, json) => {
        const declaration = { ...shape, scale: 2, values: ['a', ''] };
        const result = readField(declaration, json);
        const taken = typeof result !== 'object' || result === null || !('refused' in result);
        expect({ taken, shape, json }).toEqual({ taken: oracleTakes(declaration, json), shape, json });
      }),
      { numRuns: 3000 },
    );
  });
});

/** The rules said once more, slowly. */
function oracleTakes(field: EventFieldDeclaration, json: unknown): boolean {
  if (json === null) return field.optional === true;
  if (field.array === true)
    return Array.isArray(json) && json.length <= 1024 && json.every((item) => oracleTakesScalar(field, item));
  return oracleTakesScalar(field, json);
}

function oracleTakesScalar(field: EventFieldDeclaration, json: unknown): boolean {
  const within = (least: bigint, most: bigint): boolean => {
    if (typeof json === 'string')
      return /^-?(0|[1-9][0-9]*)$/.test(json) && BigInt(json) >= least && BigInt(json) <= most;
    return Number.isSafeInteger(json) && BigInt(json as number) >= least && BigInt(json as number) <= most;
  };
  switch (field.type) {
    case 'bool':
      return json === true || json === false;
    case 'i32':
      return typeof json === 'number' && (json | 0) === json;
    case 'u32':
      return typeof json === 'number' && json >>> 0 === json;
    case 'i64':
      return within(-(1n << 63n), (1n << 63n) - 1n);
    case 'u64':
      return within(0n, (1n << 64n) - 1n);
    case 'f64':
      return typeof json === 'number';
    case 'decimal':
      return (
        /^[+-]?\d{1,17}(\.\d{1,2})?$/.test(plain(json)) &&
        (typeof json === 'string' || plain(json).replace(/[-.]/g, '').replace(/^0+/, '').length <= 15)
      );
    case 'text':
      return typeof json === 'string' && !/\p{Surrogate}/u.test(json) && Buffer.byteLength(json) <= 4096;
    case 'bytes':
      return typeof json === 'string' && Buffer.from(json, 'base64').toString('base64') === json;
    case 'timestamp':
      return typeof json === 'number'
        ? Number.isInteger(json) && json >= -62167219200000 && json <= 253402300799999
        : typeof json === 'string' && isIso(json);
    case 'enum':
      return json === 'a' || json === '';
  }
}

const plain = (json: unknown): string => (typeof json === 'string' || typeof json === 'number' ? String(json) : '');

function isIso(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString() === text && !/^[+-]/.test(text);
}
