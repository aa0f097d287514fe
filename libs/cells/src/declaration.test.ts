import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isNiobeError } from '@niobe/kernel';
import { parseDeclaration } from './declaration.ts';
import { compileSchema } from './schema.ts';

function problemsOf(declaration: unknown): readonly string[] {
  try {
    parseDeclaration(declaration);
    return [];
  } catch (error) {
    if (!isNiobeError(error, 'BAD_DECLARATION')) throw error;
    return error.details['problems'] as readonly string[];
  }
}

describe('declarations', () => {
  it('are taken when everything fits', () => {
    expect(
      problemsOf({
        name: 'cube/products@1a2b/1',
        key: 'integer',
        fields: {
          count: { type: 'u64', merge: 'add' },
          at: { type: 'timestamp', merge: 'max', optional: true },
          colour: { type: 'enum', values: ['red'] },
          price: { type: 'decimal', scale: 0 },
          tags: { type: 'text', array: true, maxBytes: 10, maxItems: 3 },
        },
      }),
    ).toEqual([]);
  });

  it.each(['text', 'integer', 'none', 'id', 'pair'])('are taken without fields, with key %s', (key) => {
    expect(problemsOf({ name: 'a', key, fields: {} })).toEqual([]);
  });

  it('tell all problems at once, each with its path', () => {
    const problems = problemsOf({
      name: '1st',
      key: 'number',
      colour: 1,
      fields: {
        _a: { type: 'i32' },
        b: { type: 'float' },
        c: { type: 'text', merge: 'add', scale: 2, maxItems: 1 },
        d: { type: 'decimal' },
        e: { type: 'enum', values: ['x', 'x'] },
        f: { type: 'i32', optional: false, maxBytes: 4, bytes: 1 },
        g: { type: 'i32', array: true, merge: 'min', maxItems: 0 },
        h: 1,
        i: { type: 'enum', values: ['\ud800'] },
      },
    });
    const paths = problems.map((problem) => problem.slice(0, problem.indexOf(':')));
    expect(paths.toSorted()).toEqual(
      [
        'colour',
        'name',
        'key',
        'fields._a',
        'fields.b.type',
        'fields.c.merge',
        'fields.c.scale',
        'fields.c.maxItems',
        'fields.d.scale',
        'fields.e.values',
        'fields.f.optional',
        'fields.f.maxBytes',
        'fields.f.bytes',
        'fields.g.merge',
        'fields.g.maxItems',
        'fields.h',
        'fields.i.values',
      ].toSorted(),
    );
  });

  it('tell the problems of records, bounds, defaults, indexes and histories', () => {
    const problems = problemsOf({
      name: 'a',
      key: 'text',
      fields: {
        a: { type: 'record' },
        b: { type: 'record', fields: { inner: { type: 'enum' } } },
        c: { type: 'u8', max: 256 },
        d: { type: 'u8', min: 5, max: 4 },
        e: { type: 'text', min: 'a' },
        f: { type: 'date', default: '2023-02-30' },
        g: { type: 'u8', max: 3, default: 4 },
        h: { type: 'record', fields: {}, default: {} },
        i: { type: 'u8', array: 0 },
        j: { type: 'u8', nullItems: true },
        k: { type: 'u8', array: 3, maxItems: 3 },
        l: { type: 'text', merge: 'append' },
        m: { type: 'json', array: true, merge: 'setUnion' },
        n: { type: 'text', fields: {} },
        o: { type: 'dict', values: [''] },
        p: { type: 'bytes', default: 'no base64' },
        q: { type: 'i64', max: '9223372036854775808' },
      },
    });
    const paths = problems.map((problem) => problem.slice(0, problem.indexOf(':')));
    expect(paths).toEqual([
      'fields.a.fields',
      'fields.b.fields.inner.values',
      'fields.c.max',
      'fields.d.min',
      'fields.e.min',
      'fields.f.default',
      'fields.g.default',
      'fields.h.default',
      'fields.i.array',
      'fields.j.nullItems',
      'fields.k.maxItems',
      'fields.l.merge',
      'fields.m.merge',
      'fields.n.fields',
      'fields.o.values',
      'fields.p.default',
      'fields.q.max',
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a field that is not there', { on: 'c', kind: 'hash' }, 'indexes.x.on'],
    ['a field of what is no record', { on: 'a.b', kind: 'hash' }, 'indexes.x.on'],
    ['JSON', { on: 'in.json', kind: 'hash' }, 'indexes.x.on'],
    ['places, which have no order', { on: 'in.at', kind: 'hash' }, 'indexes.x.on'],
    ['another kind', { on: 'a', kind: 'tree' }, 'indexes.x.kind'],
    ['more than that', { on: 'a', kind: 'hash', size: 3 }, 'indexes.x.size'],
  ])('refuse an index with %s', (_, index, path) => {
    const inner = {
      type: 'record',
      array: true,
      fields: { json: { type: 'json' }, at: { type: 'geo' }, no: { type: 'u8' } },
    };
    const declaration = { name: 's', key: 'text', fields: { a: { type: 'u8' }, in: inner }, indexes: { x: index } };
    expect(problemsOf(declaration)).toEqual([expect.stringContaining(`${path}:`)]);
    expect(problemsOf({ ...declaration, indexes: { x: { on: 'in.no', kind: 'sorted' } } })).toEqual([]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['that came from a wider type', { a: { type: 'i32', was: [{ type: 'i64', steps: 1 }] } }],
    ['that changed nothing', { a: { type: 'i32', was: [{ type: 'i32', steps: 1 }] } }],
    ['at a step that does not exist', { a: { type: 'i64', was: [{ type: 'i32', steps: 2 }] } }],
    ['before there was a field', { a: { type: 'u8' }, b: { type: 'i64', was: [{ type: 'i32', steps: 1 }] } }],
    [
      'at the same step as another',
      { a: { type: 'i64', was: [{ type: 'i32', steps: 2 }] }, b: { type: 'i64', was: [{ type: 'i32', steps: 2 }] } },
    ],
    ['that is none', { a: { type: 'i64', was: [] } }],
    ['with something else', { a: { type: 'i64', was: [{ type: 'i32', steps: 1, scale: 2 }] } }],
  ])('refuse a history %s', (_, fields) => {
    const problems = problemsOf({ name: 's', key: 'text', fields });
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.every((problem) => /^fields\.[ab]\.was/.test(problem))).toBe(true);
  });

  it('refuse more bytes of fixed width than a cell has', () => {
    const fields = { a: { type: 'record', fields: { many: { type: 'pos4', array: 40_000 } } } };
    expect(problemsOf({ name: 's', key: 'text', fields })).toEqual([
      expect.stringMatching(/^fields\.a\.fields: 1280000/),
    ]);
  });

  it.each([
    [null],
    [1],
    ['x'],
    [[]],
    [{}],
    [{ name: 'a', key: 'ids', fields: {} }],
    [{ name: 'a', key: 'text', fields: [] }],
  ])('refuse %j', (value) => {
    expect(problemsOf(value).length).toBeGreaterThan(0);
  });

  it('refuse more fields than a body can count', () => {
    const many = Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`f${i}`, { type: 'bool' }]));
    expect(problemsOf({ name: 'a', key: 'text', fields: many })).toHaveLength(1);
  });

  it('never crash on anything parsed from JSON', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void problemsOf(value)));
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        (fields) => void problemsOf({ name: 'a', key: 'text', fields }),
      ),
    );
  });

  it.each([
    [0, 1],
    [65_536, 1],
    [1.5, 1],
    [1, 0],
  ])('refuse id %d with revision %d', (id, revision) => {
    const declaration = { name: 'a', key: 'text', fields: { a: { type: 'bool' } } };
    expect(() => compileSchema(id, revision, declaration)).toThrow(
      expect.objectContaining({ code: 'BAD_DECLARATION' }),
    );
  });
});
