import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from '@niobe/kernel';
import fc from 'fast-check';
import { bodyOf, compiled } from '../test/bodies.ts';
import {
  declarationOf,
  isNullAt,
  nearly,
  numberSeen,
  pathsOf,
  revisedPairs,
  valueOf,
  valuesAt,
  type DeclaredPath,
} from '../test/revised-records.ts';
import { compileSchema } from './schema.ts';
import type { FieldDeclarations, ScalarType, ScalarValue } from './types.ts';
import { ValueRanges } from './value-ranges.ts';

const NUMBERS = ['bool', 'i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'i128', 'f32', 'f64', 'decimal'];
const NUMERIC = [...NUMBERS, 'char', 'timestamp', 'date', 'enum', 'id'];

const cases = revisedPairs.chain(([record]) =>
  fc.record({ record: fc.constant(record), path: fc.constantFrom(...pathsOf(record.after.fields)) }),
);

function listsOnTheWay(fields: FieldDeclarations, path: DeclaredPath): number {
  const [name, ...rest] = path.text.split('.');
  const field = fields[name!]!;
  const inner = rest.length === 0 ? 0 : listsOnTheWay(field.fields!, { ...path, text: rest.join('.') });
  return inner + (field.array === undefined ? 0 : 1);
}

describe('paths', () => {
  it('read what the record holds there, in bodies of either revision', () => {
    fc.assert(
      fc.property(cases, ({ record, path }) => {
        const { fields } = record.after;
        const body = bodyOf(record);
        const read = compiled(record).path(path.text).read(body, 0, body.length);
        const values = valuesAt(fields, record.seen, path.text);
        const lists = listsOnTheWay(fields, path);
        if (lists === 0) expect(read).toEqual(values[0] ?? null);
        else if (lists === 1 && path.declaration.array !== undefined)
          expect(read === null ? null : (read as ScalarValue[]).filter((value) => value !== null)).toEqual(
            isNullAt(fields, record.seen, path.text) ? null : values,
          );
        else expect(read).toEqual(values);
      }),
      { numRuns: 200 },
    );
  });

  it('read numbers without objects', () => {
    fc.assert(
      fc.property(cases, ({ record, path }) => {
        fc.pre(!path.isMulti && NUMERIC.includes(path.declaration.type));
        const body = bodyOf(record);
        const [value] = valuesAt(record.after.fields, record.seen, path.text);
        const read = compiled(record).path(path.text).readNumber(body, 0, body.length);
        const expected = value === undefined ? NaN : numberSeen(path.declaration, value);
        expect(nearly(path.declaration, read)).toBe(nearly(path.declaration, expected));
      }),
      { numRuns: 200 },
    );
  });

  it.each(NUMERIC)('read every %s as a number', (type) => {
    const declaration = declarationOf(type as ScalarType);
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields: { t: { type: 'text' }, n: declaration } });
    fc.assert(
      fc.property(valueOf(type as ScalarType), (value) => {
        const out = new ByteWriter(100);
        schema.encode({ t: 'x', n: value }, out);
        const read = schema.path('n').readNumber(out.buffer, 0, out.length);
        expect(nearly(declaration, read)).toBe(nearly(declaration, numberSeen(declaration, value)));
      }),
    );
  });

  it('find the bytes of each value, with its own bytes for what the body does not hold so', () => {
    fc.assert(
      fc.property(cases, ({ record, path }) => {
        const body = bodyOf(record);
        const ranges = new ValueRanges();
        const values = valuesAt(record.after.fields, record.seen, path.text);
        const cellPath = compiled(record).path(path.text);
        cellPath.collect(body, 0, body.length, ranges);
        expect(ranges.count).toBe(values.length);
        if (path.declaration.type !== 'text' && path.declaration.type !== 'dict') return;
        const texts = values.map((_, i) =>
          Buffer.from(ranges.source(i).subarray(ranges.starts[i], ranges.ends[i])).toString(),
        );
        expect(texts).toEqual(values);
      }),
      { numRuns: 200 },
    );
  });

  it('read bodies of 64 KiB and more', () => {
    const inner = { type: 'record', fields: { a: { type: 'text', maxBytes: 100_000 }, b: { type: 'text' } } } as const;
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields: { first: inner, last: { type: 'text' } } });
    const out = new ByteWriter(200_000);
    schema.encode({ first: { a: 'x'.repeat(70_000), b: 'y' }, last: 'z' }, out);
    const holds = (path: string, text: string): boolean =>
      schema.compilePredicate([schema.path(path).clause('eq', text)])(out.buffer, 0, out.length);
    expect([holds('first.b', 'y'), holds('first.b', 'x'), holds('last', 'z'), holds('last', 'y')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(schema.path('first.b').read(out.buffer, 0, out.length)).toBe('y');
  });

  const fields = { a: { type: 'i32' }, r: { type: 'record', fields: { b: { type: 'i32' } } } } as const;
  const schema = compileSchema(16, 1, { name: 's', key: 'text', fields });

  it.each(['', 'b', 'a.b', 'r.a', 'r.', '.r', 'r.b.c', 'a'.repeat(600)])('refuse %j', (text) => {
    expect(() => schema.path(text)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });

  it('name what exists', () => {
    expect(() => schema.path('r.x')).toThrow('r.x: no field x; there are b');
  });
});
