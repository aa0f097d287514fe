/** The graph of the retail purchases in a running system, compared with DuckDB's of the same rows. */
import { join } from 'node:path';
import type { CellRecord } from '@niobe/cells';
import { NiobeError, systemClock, until } from '@niobe/kernel';
import type { CheckOptions } from '../check.ts';
import { declaredEdges, StoredGraph, type StoredEdges } from '../graph/stored-graph.ts';
import { GridReader } from '../grid-reader.ts';
import type { LocalSystem } from '../system/local-system.ts';
import { TraverseClient } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import { PurchaseOracle, type AlsoBought, type FirstAndLast, type Purchase } from './purchase-oracle.ts';
import { retailFile } from './retail-system.ts';

/** What the graph must be. */
export interface RetailGraph {
  /** Counters of each edge by `JSON.stringify([customer, product])`. */
  readonly purchases: ReadonlyMap<string, Purchase>;
  readonly customers: ReadonlyMap<string, FirstAndLast>;
  readonly products: ReadonlyMap<string, FirstAndLast>;
  /** Orders over all edges. */
  readonly orders: number;
  /** "Also bought" of some products. */
  readonly alsoBought: ReadonlyMap<string, readonly AlsoBought[]>;
}

const PRODUCTS = 10;
/** Rows of one answer; more products than these were never bought together. */
const LIMIT = 10_000;
const LOADED_DEADLINE_MS = 300_000;

/** DuckDB's answers for the first `rows` rows of the file. */
export async function oracleGraph(rows: number): Promise<RetailGraph> {
  const oracle = await PurchaseOracle.open(retailFile(), rows);
  const purchases = await oracle.purchases();
  const alsoBought = new Map<string, readonly AlsoBought[]>();
  for (const product of await oracle.someProducts(PRODUCTS)) alsoBought.set(product, await oracle.alsoBought(product));
  const [customers, products] = [await oracle.vertices('customer'), await oracle.vertices('product')];
  oracle.close();
  const orders = [...purchases.values()].reduce((sum, [count]) => sum + Number(count), 0);
  return { purchases, customers, products, orders, alsoBought };
}

/** Waits until every order is in; then vertices, edges, counters and "also bought" must equal the oracle's, with an integrity pass. */
export async function expectRetailGraph(
  verdict: Verdict,
  system: LocalSystem,
  { repositoryDir }: CheckOptions,
  expected: RetailGraph,
): Promise<void> {
  const grid = await GridReader.open(system.nats.address, 'retail');
  await ordersReach(grid, expected.orders);
  const graph = await StoredGraph.read(grid, declaredEdges(join(repositoryDir, 'infra/deployments/retail')));
  await grid.close();
  graph.findings.report(verdict);
  expectVertices(verdict, graph, 'user', expected.customers);
  expectVertices(verdict, graph, 'product', expected.products);
  const purchased = graph.byType.get('purchased');
  if (purchased !== undefined) expectPurchases(verdict, graph, purchased, expected.purchases);
  await expectAlsoBought(verdict, new TraverseClient(system.traversal.url), expected);
}

/** Waits until the counters of all edges add up to `orders`; `DEADLINE` with the last sum. */
async function ordersReach(grid: GridReader, orders: number): Promise<void> {
  let last = 0;
  const reached = async (): Promise<boolean> => {
    last = 0;
    for await (const { record } of grid.cells('edge.purchased')) last += Number(record['orders']);
    return last >= orders;
  };
  try {
    await until(systemClock, reached, LOADED_DEADLINE_MS, `${orders} orders in the edges`, 1_000);
  } catch (error) {
    throw new NiobeError('DEADLINE', `the orders of the edges stopped at ${last} of ${orders}`, {}, error);
  }
}

function expectVertices(
  verdict: Verdict,
  { vertices, records }: StoredGraph,
  schema: 'user' | 'product',
  expected: ReadonlyMap<string, FirstAndLast>,
): void {
  const wrong = [...expected].filter(([key, [firstMs, lastMs]]) => {
    const record = records[vertices.numberOfKey(schema, key)];
    return record?.['firstOrder'] !== firstMs || record['lastOrder'] !== lastMs;
  });
  const holds = wrong.length === 0 && vertices.count(schema) === expected.size;
  verdict.expect(
    holds,
    `${expected.size} vertices of ${schema} equal DuckDB's`,
    holds ? '' : `${vertices.count(schema)} stored, ${wrong.length} differ; ${wrong[0]?.[0] ?? ''}`,
  );
}

function expectPurchases(
  verdict: Verdict,
  { vertices }: StoredGraph,
  { edges, counters }: StoredEdges,
  expected: ReadonlyMap<string, Purchase>,
): void {
  let different = 0;
  let example = '';
  for (const edge of edges) {
    const key = JSON.stringify(vertices.keysOf(edge));
    const [want, have] = [expected.get(key), countersOf(counters.get(edge))];
    if (want !== undefined && want[0] === have[0] && want[1] === have[1]) continue;
    different += 1;
    example ||= `; ${key}: expected ${JSON.stringify(want)}, found ${JSON.stringify(have)}`;
  }
  const holds = different === 0 && edges.length === expected.size;
  verdict.expect(
    holds,
    `${expected.size} edges with orders and quantity equal DuckDB's`,
    holds ? '' : `${edges.length} stored, ${different} differ${example}`,
  );
}

function countersOf(record: CellRecord | undefined): Purchase {
  const { orders, quantity } = (record ?? {}) as Record<string, number | bigint | undefined>;
  return [String(orders), String(quantity)];
}

async function expectAlsoBought(verdict: Verdict, traverse: TraverseClient, expected: RetailGraph): Promise<void> {
  for (const [product, want] of expected.alsoBought) {
    const { vertices, total } = await traverse.vertices(alsoBought(product));
    const have = vertices.map(({ key, count }) => [key, count]);
    const different = want.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(have[i]));
    verdict.expect(
      different === -1 && have.length === want.length && total === want.length,
      `who bought ${product} also bought ${want.length} products, as DuckDB says`,
      different === -1
        ? ''
        : `row ${different}: ${JSON.stringify(want[different])}, found ${JSON.stringify(have[different])}`,
    );
  }
}

/** The search for what the buyers of a product bought too. */
function alsoBought(product: string): object {
  const hops = ['in', 'out'].map((direction) => ({ edge: 'purchased', direction }));
  return { start: [{ schema: 'product', key: product }], hops, count: true, limit: LIMIT };
}
