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
