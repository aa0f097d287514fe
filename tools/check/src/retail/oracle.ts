/** The retail cubes as DuckDB computes them from the same file: an oracle that shares no code with Niobe. */
import { DuckDBInstance } from '@duckdb/node-api';

/** A cube of the retail deployment with one of its dimension sets. */
export interface CubeView {
  readonly cube: 'sales' | 'sales_by_day';
  readonly by: readonly ('product' | 'country')[];
}

/** Group (pane and dimension values, as JSON text) to its measures `[lines, revenue, units]`. */
export type Groups = Map<string, readonly [string, string, string]>;

const COLUMNS = { product: 'StockCode', country: 'Country' } as const;

/** All views that are compared: two cubes by four sets of dimensions. */
export const CUBE_VIEWS: readonly CubeView[] = (['sales_by_day', 'sales'] as const).flatMap((cube) =>
  [['product'], ['country'], ['product', 'country'], []].map((by) => ({ cube, by }) as CubeView),
);

/** Answers of DuckDB for the first `rows` rows of the file. */
export async function oracleGroups(csvFile: string, rows: number): Promise<Map<CubeView, Groups>> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  const limit = Number.isFinite(rows) ? `LIMIT ${rows}` : '';
  await connection.run('SET preserve_insertion_order = true');
  await connection.run(
    `CREATE TABLE retail AS SELECT * FROM read_csv('${csvFile.replaceAll("'", "''")}', all_varchar = true, header = true) ${limit}`,
  );
  const answers = new Map<CubeView, Groups>();
  for (const view of CUBE_VIEWS) {
    const reader = await connection.runAndReadAll(query(view));
    answers.set(view, groupsOf(view, reader.getRowsJson() as (string | null)[][]));
  }
  connection.closeSync();
  return answers;
}

function query(view: CubeView): string {
  const pane =
    view.cube === 'sales_by_day'
      ? [`strftime(date_trunc('day', CAST(InvoiceDate AS TIMESTAMP)), '%Y-%m-%dT00:00:00.000Z')`]
      : [];
  const keys = [...pane, ...view.by.map((dimension) => COLUMNS[dimension])];
  const measures = [
    'CAST(count(*) AS VARCHAR)',
    'CAST(sum(CAST(Quantity AS DECIMAL(18,0)) * CAST(UnitPrice AS DECIMAL(18,3))) AS VARCHAR)',
    'CAST(sum(CAST(Quantity AS BIGINT)) AS VARCHAR)',
  ];
  const group = keys.length === 0 ? '' : `GROUP BY ${keys.map((_, i) => i + 1).join(', ')}`;
  return `SELECT ${[...keys, ...measures].join(', ')} FROM retail ${group}`;
}

function groupsOf(view: CubeView, rows: readonly (string | null)[][]): Groups {
  const keys = view.by.length + (view.cube === 'sales_by_day' ? 1 : 0);
  const groups: Groups = new Map();
  for (const row of rows)
    groups.set(JSON.stringify(row.slice(0, keys)), [row[keys] ?? '', row[keys + 1] ?? '', row[keys + 2] ?? '']);
  return groups;
}

/** Number of groups that differ: wrong, missing or too many. `example` names the first. */
export function compareGroups(expected: Groups, actual: Groups): { different: number; example: string } {
  let different = 0;
  let example = '';
  const differs = (group: string, want: unknown, have: unknown): void => {
    different += 1;
    if (example === '') example = `${group}: expected ${JSON.stringify(want)}, found ${JSON.stringify(have)}`;
  };
  for (const [group, want] of expected) {
    const have = actual.get(group);
    if (have === undefined || have.some((value, i) => value !== want[i])) differs(group, want, have ?? 'nothing');
  }
  for (const [group, have] of actual) if (!expected.has(group)) differs(group, 'nothing', have);
  return { different, example };
}
