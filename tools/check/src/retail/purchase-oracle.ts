/** The graph of the retail purchases as DuckDB computes it from the same file: who bought what, and what else its buyers bought. */
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** Counters of one edge as text: orders and quantity. */
export type Purchase = readonly [orders: string, quantity: string];

/** One row of "also bought": another product and how many customers bought both. */
export type AlsoBought = readonly [product: string, customers: number];

/** The first and last purchase of a vertex, Unix milliseconds. */
export type FirstAndLast = readonly [firstMs: number, lastMs: number];

const MOST = 'count(DISTINCT customer) DESC, product';

export class PurchaseOracle {
  readonly #connection: DuckDBConnection;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** Reads the first `rows` rows of the file; a purchase is what no cancellation is, and counts where it names a customer. */
  static async open(csvFile: string, rows: number): Promise<PurchaseOracle> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
    const connection = await instance.connect();
    const limit = Number.isFinite(rows) ? `LIMIT ${rows}` : '';
    await connection.run('SET preserve_insertion_order = true');
    await connection.run(
      `CREATE TABLE purchase AS SELECT CustomerID AS customer, StockCode AS product, CAST(Quantity AS BIGINT) AS quantity,
         epoch_ms(CAST(InvoiceDate AS TIMESTAMP)) AS ms
       FROM (SELECT * FROM read_csv('${csvFile.replaceAll("'", "''")}', all_varchar = true, header = true) ${limit})
       WHERE NOT starts_with(InvoiceNo, 'C')`,
    );
    return new PurchaseOracle(connection);
  }

  close(): void {
    this.#connection.closeSync();
  }

  /** Counters of each edge, by `JSON.stringify([customer, product])`. */
  async purchases(): Promise<ReadonlyMap<string, Purchase>> {
    const rows = await this.#rows(
      `SELECT customer, product, CAST(count(*) AS VARCHAR), CAST(sum(quantity) AS VARCHAR)
       FROM purchase WHERE customer IS NOT NULL GROUP BY 1, 2`,
    );
    return new Map(rows.map(([customer, product, ...sums]) => [JSON.stringify([customer, product]), sums as never]));
  }

  /** First and last purchase of each customer or product. */
  async vertices(column: 'customer' | 'product'): Promise<ReadonlyMap<string, FirstAndLast>> {
    const rows = await this.#rows(
      `SELECT ${column}, min(ms), max(ms) FROM purchase WHERE ${column} IS NOT NULL GROUP BY 1`,
    );
    return new Map(rows.map(([key, first, last]) => [String(key), [Number(first), Number(last)]]));
  }

  /** What distinct customers of `product` bought too: most customers first, then by product. */
  async alsoBought(product: string): Promise<readonly AlsoBought[]> {
    const rows = await this.#rows(
      `SELECT product, count(DISTINCT customer) FROM purchase
       WHERE product <> $1 AND customer IN (SELECT customer FROM purchase WHERE product = $1)
       GROUP BY product ORDER BY ${MOST}`,
      [product],
    );
    return rows.map(([other, customers]) => [String(other), Number(customers)]);
  }

  /** So many products, spread evenly from the one with the most customers to the one with the fewest. */
  async someProducts(count: number): Promise<readonly string[]> {
    const rows = await this.#rows(
      `SELECT product FROM purchase WHERE customer IS NOT NULL GROUP BY product ORDER BY ${MOST}`,
    );
    return Array.from({ length: count }, (_, i) => String(rows[Math.floor((i * rows.length) / count)]?.[0]));
  }

  async #rows(sql: string, values: readonly string[] = []): Promise<(string | null)[][]> {
    const reader = await this.#connection.runAndReadAll(sql, [...values]);
    return reader.getRowsJson() as (string | null)[][];
  }
}
