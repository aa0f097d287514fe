import { describe, expect, it } from '@jest/globals';
import { isNiobeError } from '@niobe/kernel';
import { CATALOGUE, CELLS, EDGES, mappingsOf, MEETINGS, SHOPPING } from '../../fixtures/shopping.ts';
import { compileMappings } from './compile-mappings.ts';
import { sourceNamesOf } from './mapping.ts';

/** What is wrong with one mapping, line by line. */
function problemsOf(declaration: unknown): readonly string[] {
  try {
    mappingsOf(declaration);
    return [];
  } catch (error) {
    if (!isNiobeError(error, 'BAD_DECLARATION')) throw error;
    return error.details.problems as string[];
  }
}

function withPurchase(rule: object): object {
  return { name: 'shopping', on: { purchase: rule } };
}

describe('compileMappings', () => {
  it('adds the vertices that edges imply, and each once', () => {
    const [shopping, meetings] = mappingsOf(SHOPPING, MEETINGS);
    const [purchase] = shopping!.rules;
    expect(purchase!.vertices.map(({ schema, key }) => [schema.name, key])).toEqual([
      ['user', 0],
      ['product', 1],
      ['shelf', 2],
    ]);
    expect(purchase!.edges.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(purchase!.edges[0]!.adds).toEqual([
      { field: 0, value: { kind: 'constant', constant: 1 } },
      { field: 1, value: { kind: 'field', index: 4 } },
      { field: 2, value: { kind: 'time' } },
    ]);
    expect(meetings!.topics).toEqual(['shop']);
  });

  it('gives a mapping one source for each stage, and another revision where its definition differs', () => {
    const [first] = mappingsOf(SHOPPING);
    const [same] = mappingsOf({ on: SHOPPING.on, name: SHOPPING.name });
    const [other] = mappingsOf({ ...SHOPPING, on: { ...SHOPPING.on, ...MEETINGS.on } });
    expect(same!.revision).toBe(first!.revision);
    expect(other!.revision).not.toBe(first!.revision);
    expect(sourceNamesOf(first!, 'shop', 3)).toEqual([
      `mapping:shopping@${first!.revision}/vertices/shop/3`,
      `mapping:shopping@${first!.revision}/edges/shop/3`,
    ]);
  });

  it('tells every problem of every mapping at once, with file and path', () => {
    const files = [
      { name: 'Bad Name', on: {} },
      withPurchase({ vertices: [{ schema: 'nobody', key: 'user' }], edges: [{ edge: 'sold', from: 'user', to: 'x' }] }),
      { ...withPurchase({ edges: [{ edge: 'purchased', from: 'quantity', to: 'nothing' }] }), more: 1 },
    ].map((declaration, index) => ({ file: `mappings/${index}.json`, declaration }));
    let message = '';
    try {
      compileMappings(files, { eventTypes: CATALOGUE.types, cells: CELLS, edgeTypes: EDGES });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.split('\n')).toEqual([
      '5 problems in the mappings',
      '  mappings/0.json: name: is no mapping name: a lower-case letter, then up to 39 of a-z 0-9 _ -',
      '  mappings/0.json: on: names 1 to 64 event types',
      '  mappings/1.json: on.purchase.vertices[0].schema: no cell schema "nobody" is declared; there are user, product, shelf',
      '  mappings/1.json: on.purchase.edges[0].edge: no edge type "sold" is declared; there are purchased, stands, met',
      '  mappings/2.json: more: is not known; possible are name, on',
    ]);
  });

  it('refuses keys that are none', () => {
    expect(problemsOf(withPurchase({ edges: [{ edge: 'purchased', from: 'quantity', to: 'nothing' }] }))).toEqual([
      'mappings/0.json: on.purchase.edges[0].from: "quantity" is u32, the keys of "user" are text',
      'mappings/0.json: on.purchase.edges[0].to: purchase has no field "nothing"; there are user, product, shelf, country, quantity, price',
    ]);
    expect(problemsOf(withPurchase({ vertices: [{ schema: 'shelf', key: 'price' }] }))).toEqual([
      'mappings/0.json: on.purchase.vertices[0].key: "price" is decimal(2), the keys of "shelf" are integer',
    ]);
  });

  it('refuses values that do not fit', () => {
    const edge = { edge: 'purchased', from: 'user', to: 'product' };
    const add = { orders: -1, quantity: 'price', last: 'quantity', none: 1 };
    expect(problemsOf(withPurchase({ edges: [{ ...edge, add }] })).map((line) => line.split('.add.')[1])).toEqual([
      'orders: -1 does not fit u64',
      'quantity: "price" is decimal(2), which does not fit u64',
      'last: "quantity" is u32, which does not fit timestamp',
      'none: purchased has no counter "none"; there are orders, quantity, last',
    ]);
    const set = { country: 'time', first: 'user' };
    expect(problemsOf(withPurchase({ vertices: [{ schema: 'user', key: 'user', set }] }))).toEqual([
      'mappings/0.json: on.purchase.vertices[0].set.country: the time of an event is a timestamp, not text of up to 64 bytes',
      'mappings/0.json: on.purchase.vertices[0].set.first: "user" is text of up to 64 bytes, which does not fit timestamp',
    ]);
  });

  it('refuses a set that would empty a field before it', () => {
    expect(problemsOf(withPurchase({ vertices: [{ schema: 'user', key: 'user', set: { last: 'time' } }] }))).toEqual([
      'mappings/0.json: on.purchase.vertices[0]: "country" is not set, stands before a field that is, and would be emptied; set it too, or declare it further back',
    ]);
  });

  it('survives any JSON', () => {
    for (const value of [null, 1, 'x', [], { name: 1, on: [] }, { name: 'a', on: { purchase: [] } }])
      expect(problemsOf(value)).not.toEqual([]);
    const odd = { vertices: 'x', edges: [null, { edge: 1, from: null, to: [], add: { a: null } }] };
    expect(problemsOf(withPurchase(odd)).length).toBe(6);
  });
});
