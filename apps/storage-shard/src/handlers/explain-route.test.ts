import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { compileSchema, type CompiledSchema, type SchemaDeclaration } from '@niobe/cells';
import { silentLogger, systemClock, until } from '@niobe/kernel';
import { Health, HttpServer, PrometheusMeter } from '@niobe/service';
import { TestGrid, type TestClient } from '../../fixtures/test-grid.ts';

const OFFERS: SchemaDeclaration = {
  name: 'offers',
  key: 'integer',
  fields: { price: { type: 'i32' }, title: { type: 'text' } },
  indexes: { by_price: { on: 'price', kind: 'sorted' } },
};
const CELLS = 1_000;
const DEADLINE_MS = 10_000;

interface Explanation {
  readonly status: number;
  readonly cells: number;
  readonly partitions: readonly { readonly index: string | null; readonly text: string }[];
}

describe('a shard with indexed cells', () => {
  let grid: TestGrid;
  let client: TestClient;
  let schema: CompiledSchema;
  let http: HttpServer;

  beforeEach(async () => {
    grid = new TestGrid();
    const shard = await grid.startShard();
    client = await grid.connect(OFFERS);
    schema = client.schemas[0]!;
    const meter = new PrometheusMeter('storage_shard');
    const options = {
      host: '127.0.0.1',
      port: 0,
      health: new Health(),
      meter,
      logger: silentLogger,
      clock: systemClock,
    };
    http = await HttpServer.open(options);
    await http.mount(shard.service.routes);
    const keys = Array.from({ length: CELLS }, (_, i) => i);
    await Promise.all(keys.map((i) => client.grid.put(schema, i, { price: i, title: `title ${i}` })));
  });
  afterEach(async () => {
    await http.close();
    await grid.close();
  });

  const explain = async (query: string, name = 'offers'): Promise<Explanation> => {
    const response = await fetch(`http://127.0.0.1:${http.port}/v1/explain/${name}?${query}`);
    return { status: response.status, ...((await response.json()) as Omit<Explanation, 'status'>) };
  };

  const pricesBelow = async (limit: number, by: CompiledSchema = schema): Promise<number[]> => {
    const prices: number[] = [];
    const clauses = [by.path('price').clause('lt', limit)];
    for await (const page of client.grid.scan(by, { clauses, limitBytes: 400 }))
      while (page.next()) prices.push(page.record()['price'] as number);
    return prices.sort((a, b) => a - b);
  };

  it('scans by its indexes and says so', async () => {
    expect(await pricesBelow(100)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const byPrice = await explain('where=price:lt:100&where=title:ne:x');
    expect(new Set(byPrice.partitions.map(({ index }) => index))).toEqual(new Set(['by_price']));
    expect(byPrice.cells).toBeLessThan(300);
    const byTitle = await explain('where=title:eq:title%205');
    expect(byTitle.cells).toBe(CELLS);
    expect(new Set(byTitle.partitions.map(({ text }) => text))).toEqual(
      new Set(['no index: no clause can use by_price']),
    );
  });

  it('refuses questions it does not understand', async () => {
    expect((await explain('', 'nothing')).status).toBe(404);
    for (const where of ['price', 'price:near:5', 'cost:lt:5', 'price:has:5'])
      expect((await explain(`where=${where}`)).status).toBe(400);
    expect((await explain('where=price:lt:dear')).status).toBe(422);
  });

  it('builds an index of a new revision between requests', async () => {
    const declared = { ...OFFERS, indexes: { ...OFFERS.indexes, by_title: { on: 'title', kind: 'sorted' as const } } };
    const [renewed] = (await grid.connect(declared)).schemas;
    expect(renewed!.revision).toBe(2);
    await until(
      systemClock,
      async () => (await explain('where=title:eq:title%205')).partitions.every(({ index }) => index === 'by_title'),
      DEADLINE_MS,
      'the index',
    );
    expect(compileSchema(renewed!.id, 2, declared).declaration.indexes).toEqual(declared.indexes);
    expect(await pricesBelow(10, renewed)).toEqual(Array.from({ length: 10 }, (_, i) => i));
  });
});
