import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { compileSchema, type CompiledSchema } from '@niobe/cells';
import { CURSOR_SCHEMA, CURSOR_SCHEMA_ID, SectionBuilder } from '@niobe/grid';
import { ManualClock, seededRandom } from '@niobe/kernel';
import { ACTIVITY, cubesOf, eventOf, PURCHASE, schemasOf } from '../../fixtures/sales.ts';
import { MemoryGrid } from '../../fixtures/memory-grid.ts';
import { Folder } from '../fold/folder.ts';
import { answerQuestion } from './answer-question.ts';
import { readQuestion } from './cube-question.ts';
import { Watermarks } from './watermarks.ts';

/** The same events, folded in batches of any length, and in SQL. */

const PARTITIONS = 8;
const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_000 - (1_700_000_000_000 % HOUR_MS);
const EVENTS = 3_000;

const cubes = cubesOf({ ...ACTIVITY, on: ['purchase'] });
const [cube] = cubes;
const schemas = schemasOf(cubes);
const schemaOf = (name: string): CompiledSchema => schemas.get(name)!;
const byId = new Map([...schemas.values()].map((schema) => [schema.id, schema]));
const cursorSchema = compileSchema(CURSOR_SCHEMA_ID, 1, CURSOR_SCHEMA);
const clock = new ManualClock();
const random = seededRandom(23);
const grid = new MemoryGrid(PARTITIONS, (id) => byId.get(id)!, random);
let sql: DuckDBConnection;

interface Sale {
  readonly timeMs: number;
  readonly product: string;
  readonly country: string | null;
  readonly quantity: number;
  readonly price: number;
}

const sales = Array.from({ length: EVENTS }, (): Sale => ({
  timeMs: START_MS + random.below(5 * HOUR_MS),
  product: `p${random.below(40)}`,
  country: random.below(4) === 0 ? null : `c${random.below(6)}`,
  quantity: random.below(2_000_000) - 1_000_000,
  price: random.below(2 ** 32) * 1000 - 2 ** 31,
}));

beforeAll(async () => {
  const folder = new Folder(cubes, schemaOf, PARTITIONS);
  const cursors = new Float64Array(PARTITIONS);
  for (let offset = 0; offset < EVENTS;) {
    folder.begin(cursors);
    const end = Math.min(EVENTS, offset + 1 + random.below(400));
    for (; offset < end; offset++)
      folder.fold(eventOf(PURCHASE, sales[offset]!.timeMs, { ...sales[offset]! }), offset, START_MS);
    await grid.write(Array.from({ length: PARTITIONS }, (_, partition) => sectionOf(folder, partition)));
  }
  sql = await (await DuckDBInstance.create(':memory:')).connect();
  await sql.run(
    'CREATE TABLE sales (hour BIGINT, product VARCHAR, country VARCHAR, quantity BIGINT, price DECIMAL(18,3))',
  );
  const rows = sales.map(({ timeMs, product, country, quantity, price }) => {
    const hour = Math.floor(timeMs / HOUR_MS) * HOUR_MS;
    return `(${hour}, '${product}', ${country === null ? 'NULL' : `'${country}'`}, ${quantity}, '${decimal(price)}')`;
  });
  await sql.run(`INSERT INTO sales VALUES ${rows.join(',')}`);
});

afterAll(() => sql.closeSync());

function sectionOf(folder: Folder, partition: number): ReturnType<SectionBuilder['finish']> {
  const section = new SectionBuilder();
  section.start(partition);
  folder.writeOps(partition, section);
  return section.finish();
}

function decimal(scaled: number): string {
  const digits = String(Math.abs(scaled)).padStart(4, '0');
  return `${scaled < 0 ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

async function answered(by: string, panes: string): Promise<string[]> {
  const watermarks = new Watermarks(grid, cursorSchema, () => 1);
  const question = readQuestion(cube!, { by, panes, limit: '10000' });
  const { rows } = await answerQuestion(question, { grid, schemaOf, watermarks, clock });
  return rows.map((row) => Object.values(row).slice(0, -1).join('|')).toSorted();
}

async function selected(by: readonly string[], each: boolean): Promise<string[]> {
  const groups = [...(each ? ['hour'] : []), ...by];
  const measures =
    'count(*), CAST(sum(CAST(quantity * CAST(price * 1000 AS HUGEINT) AS HUGEINT)) AS VARCHAR), CAST(sum(quantity) AS VARCHAR), CAST(min(price) AS VARCHAR), CAST(max(quantity) AS VARCHAR)';
  const grouping = groups.length === 0 ? '' : `GROUP BY ${groups.join(', ')}`;
  const reader = await sql.runAndReadAll(`SELECT ${[...groups, measures].join(', ')} FROM sales ${grouping}`);
  return reader
    .getRows()
    .map((row) => shown(row, each, groups.length))
    .toSorted();
}

/** A row of SQL as an answer shows it. */
function shown(row: readonly unknown[], each: boolean, groups: number): string {
  const values = row.map((value) => (value === null ? '' : String(value as string | bigint)));
  if (each) values[0] = new Date(Number(values[0])).toISOString();
  values[groups + 1] = decimalText(BigInt(values[groups + 1]!));
  return values.join('|');
}

function decimalText(scaled: bigint): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(4, '0');
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

describe('answers', () => {
  it('are those of DuckDB over the same events, every group, by pane and in all', async () => {
    for (const by of [['product'], ['country'], ['product', 'country'], []]) {
      for (const each of [true, false]) {
        const expected = await selected(by, each);
        expect(expected.length).toBeGreaterThan(0);
        expect([by, each, await answered(by.join(), each ? 'each' : 'merged')]).toEqual([by, each, expected]);
      }
    }
  });
});
