import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from '@niobe/kernel';
import { compareRevisions, joinRevisions } from './revisions.ts';
import { compileSchema } from './schema.ts';
import { SchemaTable } from './schema-table.ts';
import type { FieldDeclaration, SchemaDeclaration } from './types.ts';

const declare = (fields: Record<string, FieldDeclaration>, name = 's'): SchemaDeclaration => ({
  name,
  key: 'text',
  fields,
});
const base = declare({ a: { type: 'i32' }, e: { type: 'enum', values: ['x', 'y'] } });

describe('revisions', () => {
  it('are equal whatever the order, and with defaults written out', () => {
    const turned = declare({
      e: { type: 'enum', values: ['x', 'y'], merge: 'replace' },
      a: { type: 'i32', maxItems: 1024 },
    });
    expect(compareRevisions(base, turned)).toBe('equal');
  });

  it('may add optional fields, which are put last', () => {
    const wider = declare({ b: { type: 'text', optional: true }, ...base.fields });
    expect(compareRevisions(base, wider)).toBe('added');
    expect(Object.keys(joinRevisions(base, wider).fields)).toEqual(['a', 'e', 'b']);
  });

  it.each<[string, SchemaDeclaration, RegExp]>([
    ['a required field is added', declare({ ...base.fields, b: { type: 'i32' } }), /^fields\.b:/],
    ['a field is removed', declare({ a: { type: 'i32' } }), /^fields\.e: was removed/],
    ['a type changes', declare({ ...base.fields, a: { type: 'i64' } }), /^fields\.a\.type: i32 became i64/],
    ['enum values change', declare({ ...base.fields, e: { type: 'enum', values: ['x,y'] } }), /^fields\.e\.values:/],
    [
      'a field becomes optional',
      declare({ ...base.fields, a: { type: 'i32', optional: true } }),
      /^fields\.a\.optional:/,
    ],
    ['the key changes', { ...base, key: 'integer' }, /^key:/],
    ['the name changes', { ...base, name: 't' }, /^name:/],
  ])('do not fit where %s', (_, other, reason) => {
    expect(compareRevisions(base, other)).toEqual({ reasons: [expect.stringMatching(reason)] });
  });

  it('read the bodies of those before, with null for what was added', () => {
    const old = compileSchema(20, 1, base);
    const wider = declare({
      ...base.fields,
      b: { type: 'text', optional: true },
      l: { type: 'i32', optional: true, array: true },
    });
    const newer = compileSchema(20, 2, joinRevisions(base, wider));
    const out = new ByteWriter(100);
    old.encode({ a: 7, e: 'y' }, out);
    newer.check(out.buffer, 0, out.length);
    expect(newer.decode(out.buffer, 0, out.length)).toStrictEqual({ a: 7, e: 'y', b: null, l: null });
    out.reset();
    newer.encode({ a: 1, e: 'x', b: 'new' }, out);
    expect(() => old.check(out.buffer, 0, out.length)).toThrow(expect.objectContaining({ code: 'NOT_READY' }));
  });
});

describe('the schema table', () => {
  const first = compileSchema(20, 1, base);
  const second = compileSchema(20, 2, declare({ ...base.fields, b: { type: 'text', optional: true } }));

  it('keeps the newest revision, in whatever order they come', () => {
    for (const order of [
      [first, second],
      [second, first],
      [second, second, first],
    ]) {
      const table = new SchemaTable();
      for (const schema of order) table.add(schema);
      expect(table.get(20)).toBe(second);
      expect(table.byName('s')).toBe(second);
      expect(table.list()).toEqual([second]);
    }
  });

  it.each([
    ['another name', compileSchema(20, 2, { ...base, name: 't' })],
    ['another id', compileSchema(21, 2, base)],
    ['a changed field', compileSchema(20, 2, declare({ ...base.fields, a: { type: 'i64' } }))],
    ['another order', compileSchema(20, 2, declare({ e: base.fields['e']!, a: base.fields['a']! }))],
    ['the same revision with more', compileSchema(20, 1, second.declaration)],
  ])('refuses %s', (_, schema) => {
    const table = new SchemaTable();
    table.add(first);
    expect(() => table.add(schema)).toThrow(expect.objectContaining({ code: 'INCOMPATIBLE' }));
    expect(table.get(20)).toBe(first);
  });
});
