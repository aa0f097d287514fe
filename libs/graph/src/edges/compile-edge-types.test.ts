import { describe, expect, it } from '@jest/globals';
import { compileSchema, type SchemaDeclaration } from '@niobe/cells';
import { isNiobeError } from '@niobe/kernel';
import { isAdjacency } from './adjacency-schema.ts';
import { compileEdgeTypes } from './compile-edge-types.ts';
import type { EdgeDeclaration } from './edge-declaration.ts';
import type { EdgeType } from './edge-type.ts';

const USER: SchemaDeclaration = { name: 'user', key: 'text', fields: { country: { type: 'text', optional: true } } };
const PRODUCT: SchemaDeclaration = { name: 'product', key: 'integer', fields: {} };
const TAKEN: SchemaDeclaration = { name: 'edge.taken.out', key: 'text', fields: {} };
const KEYLESS: SchemaDeclaration = { name: 'blob', key: 'none', fields: {} };
const CELLS = [USER, PRODUCT, TAKEN, KEYLESS];

const PURCHASED: EdgeDeclaration = {
  name: 'purchased',
  from: 'user',
  to: 'product',
  counters: {
    orders: { type: 'u64' },
    paid: { type: 'decimal', scale: 2 },
    last: { type: 'timestamp', merge: 'max' },
  },
};

function compiled(...declarations: readonly unknown[]): EdgeType[] {
  return compileEdgeTypes(
    declarations.map((declaration, index) => ({ file: `edges/${index}.json`, declaration })),
    CELLS,
  );
}

function problemsOf(...declarations: readonly unknown[]): readonly string[] {
  try {
    compiled(...declarations);
    return [];
  } catch (error) {
    if (!isNiobeError(error, 'BAD_DECLARATION')) throw error;
    return error.details['problems'] as readonly string[];
  }
}

describe('edge types', () => {
  it('need an adjacency for each direction and a cell for counters', () => {
    const [purchased] = compiled(PURCHASED) as [EdgeType];
    expect(purchased.schemas.map(({ name, key }) => [name, key])).toEqual([
      ['edge.purchased.out', 'id'],
      ['edge.purchased.in', 'id'],
      ['edge.purchased', 'pair'],
    ]);
    expect(purchased.counterSchema).toBe('edge.purchased');
    expect(purchased.schemas[2]!.fields).toEqual({
      orders: { type: 'u64', merge: 'add', optional: true },
      paid: { type: 'decimal', scale: 2, merge: 'add', optional: true },
      last: { type: 'timestamp', merge: 'max', optional: true },
    });
    expect(purchased.adjacency('in')).toBe('edge.purchased.in');
    expect(purchased.adjacencies('both')).toEqual(['edge.purchased.out', 'edge.purchased.in']);
    expect(purchased.isPairSwapped(2, 1)).toBe(false);
  });

  it('without direction list both ends in one adjacency, and count by the lower id', () => {
    const [knows] = compiled({ name: 'knows', from: 'user', to: 'user', directed: false }) as [EdgeType];
    expect(knows.schemas.map(({ name }) => name)).toEqual(['edge.knows.both']);
    expect(knows.counterSchema).toBeNull();
    for (const direction of ['out', 'in', 'both'] as const)
      expect([knows.adjacency(direction), ...knows.adjacencies(direction)]).toEqual([
        'edge.knows.both',
        'edge.knows.both',
      ]);
    expect([knows.isPairSwapped(2, 1), knows.isPairSwapped(1, 2), knows.isPairSwapped(1, 1)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('make adjacencies that are known as such, and no others', () => {
    const [purchased] = compiled(PURCHASED) as [EdgeType];
    const found = purchased.schemas.map((schema, index) => isAdjacency(compileSchema(20 + index, 1, schema)));
    expect(found).toEqual([true, true, false]);
    const other = compileSchema(30, 1, { name: 'edge.other.out', key: 'id', fields: { degree: { type: 'u32' } } });
    expect([isAdjacency(other), isAdjacency(compileSchema(31, 1, USER))]).toEqual([false, false]);
  });

  it('tell every problem with file and path', () => {
    const problems = problemsOf(
      { name: 'Bad Name', from: 'user', to: 7, directed: 'yes', weight: 1 },
      { ...PURCHASED, counters: { '1st': { type: 'u8' }, sum: { type: 'decimal' }, seen: { type: 'timestamp' } } },
      { ...PURCHASED, counters: { times: { type: 'u64', merge: 'replace', scale: 2, unit: 'x' }, more: 7 } },
      { name: 'viewed', from: 'usr', to: 'blob' },
      PURCHASED,
      PURCHASED,
      { name: 'taken', from: 'user', to: 'user' },
      {
        ...PURCHASED,
        name: 'full',
        counters: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`c${i}`, { type: 'u64' }])),
      },
      [],
    );
    expect(problems).toEqual([
      'edges/0.json: weight: not known; possible are name, from, to, directed, counters',
      'edges/0.json: name: a lower-case letter, then up to 39 of a-z 0-9 _ -',
      'edges/0.json: to: the name of a cell schema',
      'edges/0.json: directed: true or false; left out it is true',
      'edges/1.json: counters.1st: a name is a letter, then up to 63 letters, digits and _',
      'edges/1.json: counters.1st.type: one of i32, i64, u32, u64, f64, decimal, timestamp',
      'edges/1.json: counters.sum.scale: a decimal says how many digits it keeps, 0 to 9',
      'edges/1.json: counters.seen.merge: a timestamp has no sum; say min or max',
      'edges/2.json: counters.times.unit: not known; possible are type, scale, merge',
      'edges/2.json: counters.times.scale: only a decimal has a scale',
      'edges/2.json: counters.times.merge: one of add, min, max',
      'edges/2.json: counters.more: an object with a type',
      'edges/3.json: from: no cell schema "usr" is declared; there are user, product, edge.taken.out',
      'edges/3.json: to: cells of "blob" have no key of their own; vertices are user, product, edge.taken.out',
      'edges/5.json: name: "purchased" is declared in edges/4.json too',
      'edges/6.json: name: cells of "edge.taken.out" are declared, a name that this edge type needs for its own; rename one',
      'edges/7.json: counters: at most 16, not 17',
      'edges/8.json: an edge type is an object with name, from and to',
    ]);
  });
});
