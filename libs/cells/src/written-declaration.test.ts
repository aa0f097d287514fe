import { describe, expect, it } from '@jest/globals';
import { isNiobeError } from '@niobe/kernel';
import type { FieldDeclarations, SchemaDeclaration } from './types.ts';
import { resolveDeclaration } from './written-declaration.ts';

const written = (name: string, fields: unknown): [string, unknown] => [name, { name, key: 'text', fields }];

function resolve(name: string, ...schemas: readonly [string, unknown][]): SchemaDeclaration {
  const others = new Map(schemas);
  return resolveDeclaration(others.get(name), others);
}

function problemsOf(name: string, ...schemas: readonly [string, unknown][]): readonly string[] {
  try {
    resolve(name, ...schemas);
    return [];
  } catch (error) {
    if (!isNiobeError(error, 'BAD_DECLARATION')) throw error;
    return error.details['problems'] as readonly string[];
  }
}

describe('declarations as they are written', () => {
  it('hold the fields of other schemas where they name them', () => {
    const town = written('town', { name: { type: 'text' } });
    const address = written('address', { street: { type: 'text' }, town: { schema: 'town', optional: true } });
    const person = written('person', {
      homes: { schema: 'address', array: true, maxItems: 3 },
      born: { type: 'date' },
    });
    const fields: FieldDeclarations = {
      homes: {
        type: 'record',
        array: true,
        maxItems: 3,
        fields: {
          street: { type: 'text' },
          town: { type: 'record', optional: true, fields: { name: { type: 'text' } } },
        },
      },
      born: { type: 'date' },
    };
    expect(resolve('person', town, address, person)).toEqual({ name: 'person', key: 'text', fields });
  });

  it.each<[string, readonly string[], Record<string, unknown>]>([
    ['name a schema that is not there', ['fields.b.schema: no such'], { b: { schema: 'nothing' } }],
    ['name themselves', ['fields.b.schema: a cannot hold itself'], { b: { schema: 'a' } }],
    ['name one that names them', ['fields.b.fields.back.schema: a cannot hold itself'], { b: { schema: 'loop' } }],
    ['say a type too', ['fields.b.schema: stands in place'], { b: { schema: 'leaf', type: 'record' } }],
    ['tell a history', ['fields.b.was: is written by Niobe'], { b: { type: 'i64', was: [{ type: 'i32', steps: 1 }] } }],
  ])('are refused where they %s', (_, starts, fields) => {
    const others = [written('loop', { back: { schema: 'a' } }), written('leaf', {}), written('a', fields)];
    const problems = problemsOf('a', ...others);
    expect(problems.map((problem, i) => problem.startsWith(starts[i] ?? '?'))).toEqual(starts.map(() => true));
  });

  it('do not grow without bound where schemas name each other many times over', () => {
    const names = Array.from({ length: 9 }, (_, level) => `s${level}`);
    const schemas = names.map((name, level) => {
      const field = level === 8 ? { type: 'bool' } : { schema: names[level + 1] };
      return written(name, Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`f${i}`, field])));
    });
    expect(problemsOf('s0', ...schemas)).toEqual([expect.stringMatching(/more than 4096 fields/)]);
  });
});
