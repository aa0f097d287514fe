import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from '@niobe/kernel';
import fc from 'fast-check';
import { chains, seenAs, type Revision } from '../test/revision-chains.ts';
import { parseDeclaration } from './declaration.ts';
import { compareRevisions, joinRevisions } from './revisions.ts';
import { compileSchema, type CompiledSchema } from './schema.ts';
import { SchemaTable } from './schema-table.ts';
import { TYPE } from './type-table.ts';
import type { CellRecord, FieldDeclaration, FieldValue, SchemaDeclaration } from './types.ts';

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
    ['a field is added that must be there', declare({ ...base.fields, b: { type: 'i32' } }), /^fields\.b: was added/],
    ['a field is removed', declare({ a: { type: 'i32' } }), /^fields\.e: was removed/],
    ['a type changes', declare({ ...base.fields, a: { type: 'u64' } }), /^fields\.a\.type: i32 became u64/],
    ['a type gets narrower', declare({ ...base.fields, a: { type: 'i16' } }), /^fields\.a\.type: i32 became i16/],
    ['a list is made of it', declare({ ...base.fields, a: { type: 'i32', array: true } }), /^fields\.a\.array: false/],
    ['a bound comes', declare({ ...base.fields, a: { type: 'i32', max: 5 } }), /^fields\.a\.max: none became 5/],
    ['a default comes', declare({ ...base.fields, a: { type: 'i32', default: 5 } }), /^fields\.a\.default: none/],
    ['it is added to', declare({ ...base.fields, a: { type: 'i32', merge: 'add' } }), /^fields\.a\.merge: replace/],
    ['enum values change', declare({ ...base.fields, e: { type: 'enum', values: ['x,y'] } }), /^fields\.e\.values:/],
    ['the key changes', { ...base, key: 'integer' }, /^key:/],
    ['the name changes', { ...base, name: 't' }, /^name:/],
  ])('do not fit where %s', (_, other, reason) => {
    expect(compareRevisions(base, other)).toEqual({ reasons: [expect.stringMatching(reason)] });
  });

  it.each<[string, FieldDeclaration, FieldDeclaration, string]>([
    ['an optional field must be there', { type: 'i32', optional: true }, { type: 'i32' }, 'fields.f.optional: true'],
    ['a list gets another length', { type: 'u8', array: 2 }, { type: 'u8', array: 3 }, 'fields.f.array: 2 became 3'],
    ['items may be null', { type: 'u8', array: 2 }, { type: 'u8', array: 2, nullItems: true }, 'fields.f.nullItems:'],
    ['text gets shorter', { type: 'text' }, { type: 'text', maxBytes: 9 }, 'fields.f.maxBytes: none became 9'],
    [
      'a list gets shorter',
      { type: 'u8', array: true },
      { type: 'u8', array: true, maxItems: 9 },
      'fields.f.maxItems:',
    ],
    ['min rises', { type: 'u8', min: 1 }, { type: 'u8', min: 2 }, 'fields.f.min: 1 became 2'],
    ['max falls', { type: 'date', max: '2020-01-02' }, { type: 'date', max: '2020-01-01' }, 'fields.f.max:'],
    ['the scale changes', { type: 'decimal', scale: 1 }, { type: 'decimal', scale: 2 }, 'fields.f.scale: 1 became 2'],
    ['a default changes', { type: 'u8', default: 1 }, { type: 'u8', default: 2 }, 'fields.f.default: 1 became 2'],
    [
      'a field of a record changes',
      { type: 'record', fields: { a: { type: 'text' } } },
      { type: 'record', fields: { a: { type: 'bytes' } } },
      'fields.f.fields.a.type: text became bytes',
    ],
  ])('do not fit where %s', (_, old, other, reason) => {
    const result = compareRevisions(declare({ f: old }), declare({ f: other }));
    expect(result).toEqual({ reasons: [expect.stringContaining(reason)] });
  });

  it('tell all reasons, each with its field', () => {
    const old = declare({
      a: { type: 'text' },
      b: { type: 'i8' },
      c: { type: 'record', fields: { d: { type: 'u8' } } },
    });
    const other = declare({ b: { type: 'f32' }, c: { type: 'record', fields: { e: { type: 'u8' } } } });
    expect(compareRevisions(old, other)).toEqual({
      reasons: [
        'fields.a: was removed',
        'fields.b.type: i8 became f32',
        'fields.c.fields.d: was removed',
        'fields.c.fields.e: was added and is neither optional nor has a default',
      ],
    });
  });

  it('may widen fields, which then lie behind the others, and note what they were', () => {
    const wider = declare({
      a: { type: 'i64', optional: true },
      e: { type: 'enum', values: ['x', 'y', 'z'] },
      n: { type: 'u8', default: 1 },
    });
    const joined = joinRevisions(base, wider);
    expect(joined.fields).toEqual({ ...wider.fields, a: { ...wider.fields['a'], was: [{ type: 'i32', steps: 2 }] } });
    expect(compareRevisions(joined, wider)).toBe('equal');
    const widest = joinRevisions(joined, declare({ ...wider.fields, n: { type: 'f64', default: 1 } }));
    expect(widest.fields['n']!.was).toEqual([{ type: 'u8', steps: 4 }]);
    expect(parseDeclaration(JSON.parse(JSON.stringify(widest)))).toEqual(widest);
  });

  it('keep the texts of a dict, whatever another declares, and add its new ones behind', () => {
    const known = declare({ d: { type: 'dict', values: ['b', 'a'] } });
    expect(compareRevisions(known, declare({ d: { type: 'dict' } }))).toBe('equal');
    const other = declare({ d: { type: 'dict', values: ['a', 'c'] } });
    expect(compareRevisions(known, other)).toBe('added');
    expect(joinRevisions(known, other).fields['d']!.values).toEqual(['b', 'a', 'c']);
  });

  it('may add and drop indexes', () => {
    const indexed: SchemaDeclaration = { ...base, indexes: { byA: { on: 'a', kind: 'sorted' } } };
    expect(compareRevisions(indexed, { ...indexed, indexes: { ...indexed.indexes } })).toBe('equal');
    for (const [old, other] of [
      [base, indexed],
      [indexed, base],
      [indexed, { ...base, indexes: { byA: { on: 'a', kind: 'hash' } } } as const],
    ] as const) {
      expect(compareRevisions(old, other)).toBe('added');
      expect(joinRevisions(old, other).indexes).toEqual(other.indexes);
    }
  });

  it('one after another read what any of those before wrote, field by field', () => {
    fc.assert(
      fc.property(chains, (chain) => {
        const schemas = compileChain(chain);
        for (const [i, older] of schemas.entries()) {
          const body = bodyOf(older, chain[i]!.record);
          for (const newer of schemas.slice(i)) {
            const seen = seenAs(newer.declaration.fields, older.declaration.fields, chain[i]!.record);
            newer.check(body, 0, body.length);
            expect(newer.decode(body, 0, body.length)).toStrictEqual(seen);
            checkFields(newer, body, seen);
          }
        }
      }),
      { numRuns: 250 },
    );
  });

  it('merge what any of those before wrote, as the newest declares', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.nat(), (chain, first, second) => {
        const kept = chain.map(({ declaration, record }) => ({ declaration: withKept(declaration), record }));
        const schemas = compileChain(kept);
        const newest = schemas.at(-1)!;
        const [i, k] = [first % kept.length, second % kept.length];
        const seen = (at: number): CellRecord =>
          seenAs(newest.declaration.fields, schemas[at]!.declaration.fields, kept[at]!.record);
        const [old, delta] = [seen(i), seen(k)];
        const expected = newest.fields.map(({ name, declaration }): [string, FieldValue] => {
          const isChanged = declaration.merge !== 'keep' && Object.hasOwn(schemas[k]!.declaration.fields, name);
          return [name, (isChanged ? delta : old)[name]!];
        });
        const body = merged(newest, bodyOf(schemas[i]!, kept[i]!.record), bodyOf(schemas[k]!, kept[k]!.record));
        newest.check(body, 0, body.length);
        expect(newest.decode(body, 0, body.length)).toStrictEqual(Object.fromEntries(expected));
      }),
      { numRuns: 250 },
    );
  });

  it('in a table need not come in order', () => {
    fc.assert(
      fc.property(chains, fc.boolean(), (chain, isReversed) => {
        const schemas = compileChain(chain);
        const table = new SchemaTable();
        for (const schema of isReversed ? schemas.toReversed() : schemas) table.add(schema);
        expect(table.get(16)).toBe(schemas.at(-1));
      }),
    );
  });

  it('are not known to a reader of one before', () => {
    const old = compileSchema(20, 1, base);
    const newer = compileSchema(
      20,
      2,
      joinRevisions(base, declare({ ...base.fields, b: { type: 'text', optional: true } })),
    );
    const body = bodyOf(newer, { a: 1, e: 'x', b: 'new' });
    expect(() => old.check(body, 0, body.length)).toThrow(expect.objectContaining({ code: 'NOT_READY' }));
  });
});

/** The registered revisions of what was declared. */
function compileChain(chain: readonly Revision[]): CompiledSchema[] {
  const schemas: CompiledSchema[] = [];
  for (const { declaration } of chain) {
    const known = schemas.at(-1)?.declaration;
    const comparison = known === undefined ? 'added' : compareRevisions(known, declaration);
    if (typeof comparison === 'object') throw new Error(comparison.reasons.join());
    const registered = known === undefined ? declaration : joinRevisions(known, declaration);
    schemas.push(compileSchema(16, schemas.length + 1, registered));
  }
  return schemas;
}

function bodyOf(schema: CompiledSchema, record: CellRecord): Uint8Array {
  const out = new ByteWriter(1024 * 1024);
  schema.encode(record, out);
  return out.finish();
}

function merged(schema: CompiledSchema, old: Uint8Array, delta: Uint8Array): Uint8Array {
  const out = new Uint8Array(schema.mergedBytesMax(old.length, delta.length));
  return out.slice(0, schema.merge(old, 0, old.length, delta, 0, delta.length, out, 0));
}

/** The declaration with a merge that keeps every other field. */
function withKept(declaration: SchemaDeclaration): SchemaDeclaration {
  const fields = Object.entries(declaration.fields).map(([name, field]): [string, FieldDeclaration] => [
    name,
    /[02468]$/.test(name) ? { ...field, merge: 'keep' } : field,
  ]);
  return { ...declaration, fields: Object.fromEntries(fields) };
}

function checkFields(schema: CompiledSchema, body: Uint8Array, seen: CellRecord): void {
  for (const { name, index, variable, array, type } of schema.fields) {
    const value = seen[name]!;
    expect(schema.read(body, 0, body.length, index)).toStrictEqual(value);
    if (type !== TYPE.json) expect(schema.isNull(body, 0, index)).toBe(value === null);
    if (variable || array || typeof value !== 'number') continue;
    expect(schema.readNumber(body, 0, index)).toBe(value);
  }
}

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
    ['a changed field', compileSchema(20, 2, declare({ ...base.fields, a: { type: 'u64' } }))],
    ['a widened field that does not say so', compileSchema(20, 2, declare({ ...base.fields, a: { type: 'i64' } }))],
    ['another order', compileSchema(20, 2, declare({ e: base.fields['e']!, a: base.fields['a']! }))],
    ['the same revision with more', compileSchema(20, 1, second.declaration)],
  ])('refuses %s', (_, schema) => {
    const table = new SchemaTable();
    table.add(first);
    expect(() => table.add(schema)).toThrow(expect.objectContaining({ code: 'INCOMPATIBLE' }));
    expect(table.get(20)).toBe(first);
  });
});
