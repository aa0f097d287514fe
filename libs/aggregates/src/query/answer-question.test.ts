import { beforeAll, describe, expect, it } from '@jest/globals';
import { compileSchema, type CompiledSchema } from '@niobe/cells';
import type { ReadEvent } from '@niobe/events';
import { CURSOR_SCHEMA, CURSOR_SCHEMA_ID, SectionBuilder } from '@niobe/grid';
import { ManualClock, seededRandom } from '@niobe/kernel';
import type { Cube } from '../cube/cube.ts';
import { ACTIVITY, cubesOf, eventOf, PURCHASE, schemasOf, TOTALS, VIEW } from '../../fixtures/sales.ts';
import { MemoryGrid } from '../../fixtures/memory-grid.ts';
import { Folder } from '../fold/folder.ts';
import { answerQuestion, type CubeAnswer } from './answer-question.ts';
import { readQuestion, type QuestionParameters } from './cube-question.ts';
import { Watermarks } from './watermarks.ts';

const PARTITIONS = 4;
const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_000 - (1_700_000_000_000 % HOUR_MS);
const EVENTS = 2_000;

const cubes = cubesOf(ACTIVITY, TOTALS);
const [activity, totals] = cubes as [Cube, Cube];
const schemas = schemasOf(cubes);
const schemaOf = (name: string): CompiledSchema => schemas.get(name)!;
const byId = new Map([...schemas.values()].map((schema) => [schema.id, schema]));
const cursorSchema = compileSchema(CURSOR_SCHEMA_ID, 1, CURSOR_SCHEMA);
const clock = new ManualClock();
const random = seededRandom(7);
const grid = new MemoryGrid(PARTITIONS, (id) => byId.get(id)!, random);

interface Sale {
  readonly hour: number;
  readonly product: string;
  readonly country: string | null;
  readonly quantity: number | null;
  readonly price: number | null;
}

const sales: Sale[] = Array.from({ length: EVENTS }, () => {
  const country = random.below(5);
  const viewed = random.below(4) === 0;
  return {
    hour: random.below(6),
    product: `p${random.below(30)}`,
    country: country === 0 ? null : ['', 'null', 'Größe', 'fr'][country - 1]!,
    quantity: viewed ? null : random.below(20) - 5,
    price: viewed ? null : random.below(10_000),
  };
});

function eventOfSale({ hour, product, country, quantity, price }: Sale): ReadEvent {
  const timeMs = START_MS + hour * HOUR_MS + random.below(HOUR_MS);
  return eventOf(quantity === null ? VIEW : PURCHASE, timeMs, { product, country, quantity, price });
}

async function ask(parameters: QuestionParameters, cube: Cube = activity): Promise<CubeAnswer> {
  const watermarks = new Watermarks(grid, cursorSchema, () => 1);
  return answerQuestion(readQuestion(cube, parameters), { grid, schemaOf, watermarks, clock });
}

/** Sums by a key, the naive way. */
function summed(
  list: readonly Sale[],
  keyOf: (sale: Sale) => string,
): Map<string, { events: number; revenue: bigint }> {
  const groups = new Map<string, { events: number; revenue: bigint }>();
  for (const sale of list) {
    const key = keyOf(sale);
    const { events, revenue } = groups.get(key) ?? { events: 0, revenue: 0n };
    groups.set(key, { events: events + 1, revenue: revenue + BigInt(sale.quantity ?? 0) * BigInt(sale.price ?? 0) });
  }
  return groups;
}

function decimal(scaled: bigint): string {
  const text = (scaled < 0n ? -scaled : scaled).toString().padStart(4, '0');
  return `${scaled < 0n ? '-' : ''}${text.slice(0, -3)}.${text.slice(-3)}`;
}

beforeAll(async () => {
  const folder = new Folder(cubes, schemaOf, PARTITIONS);
  folder.begin(new Float64Array(PARTITIONS));
  sales.forEach((sale, offset) => folder.fold(eventOfSale(sale), offset, START_MS));
  const watermarkMs = START_MS + 2 * HOUR_MS + ACTIVITY.graceMs;
  const sections = Array.from({ length: PARTITIONS }, (_, partition) => {
    const section = new SectionBuilder();
    section.start(partition);
    section.source(`cube:activity@${activity.revision}/sales/0`, 0, EVENTS, watermarkMs);
    folder.writeOps(partition, section);
    return section.finish();
  });
  for (const { refusal } of await grid.write(sections)) expect(refusal).toBeNull();
});

describe('answers', () => {
  it('are the groups of a naive count, with decimals as text', async () => {
    const { rows } = await ask({ by: 'country,product', panes: 'merged', limit: '10000' });
    const expected = summed(sales, ({ product, country }) => JSON.stringify([product, country]));
    expect(rows).toHaveLength(expected.size);
    for (const { product, country, events, revenue } of rows) {
      const group = expected.get(JSON.stringify([product, country]))!;
      expect(events).toBe(group.events);
      expect(revenue ?? '0.000').toBe(decimal(group.revenue));
    }
  });

  it('keep to a range of panes and tell which of them are final', async () => {
    const from = new Date(START_MS + HOUR_MS).toISOString();
    const { rows } = await ask({ by: '', from, to: String(START_MS + 4 * HOUR_MS) });
    const expected = summed(sales, ({ hour }) => String(hour));
    expect(rows.map(({ pane, events, final }) => [pane, events, final])).toEqual(
      [1, 2, 3].map((hour) => [
        new Date(START_MS + hour * HOUR_MS).toISOString(),
        expected.get(String(hour))!.events,
        hour < 2,
      ]),
    );
  });

  it('filter by value, by null and by the text null, by scan and by key alike', async () => {
    const range = { from: String(START_MS), to: String(START_MS + 6 * HOUR_MS) };
    for (const [asked, country] of [
      ['fr', 'fr'],
      ['null', null],
      ['"null"', 'null'],
      ['', ''],
      ['Größe', 'Größe'],
    ] as const) {
      const expected = sales.filter((sale) => sale.country === country).length;
      const byScan = await ask({ by: 'country', country: asked, panes: 'merged' });
      const byKey = await ask({ by: 'country', country: asked, panes: 'merged', ...range });
      expect([asked, byScan.rows[0]?.['events'], byKey.rows[0]?.['events']]).toEqual([asked, expected, expected]);
      expect(byKey.rows).toEqual(byScan.rows.map((row) => ({ ...row })));
    }
  });

  it('come in pages that make up the whole, in a total order', async () => {
    for (const order of ['-events', 'revenue', '-product', 'pane', 'country']) {
      const whole = await ask({ by: 'product,country', order, limit: '10000' });
      const pages = [];
      let cursor: string | undefined;
      do {
        const page: CubeAnswer = await ask({
          by: 'product,country',
          order,
          limit: '97',
          ...(cursor === undefined ? {} : { cursor }),
        });
        pages.push(...page.rows);
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(pages).toEqual(whole.rows);
    }
  });

  it('order by the exact measure, largest first', async () => {
    const { rows } = await ask({ by: 'product', panes: 'merged', order: '-units', limit: '5' });
    const units = summed(sales, ({ product }) => product);
    const all = [...units.keys()].map((product) =>
      sales.filter((sale) => sale.product === product).reduce((sum, { quantity }) => sum + (quantity ?? 0), 0),
    );
    expect(rows.map((row) => row['units'])).toEqual(all.toSorted((a, b) => b - a).slice(0, 5));
  });

  it('show bools and all-time cubes', async () => {
    const { rows } = await ask({ by: 'gift' }, totals);
    expect(rows).toEqual([
      { gift: null, orders: sales.filter(({ quantity }) => quantity !== null).length, final: false },
    ]);
  });
});

describe('questions', () => {
  const refused = async (parameters: QuestionParameters, cube?: Cube): Promise<string> => {
    try {
      await ask(parameters, cube);
      return 'answered';
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return `${code} ${message}`;
    }
  };

  it('that cannot be answered are refused with what is possible', async () => {
    expect(await refused({ by: 'price' })).toMatch(/^NOT_FOUND .*\[product\] \[country\] \[product,country\] \[\]/);
    expect(await refused({ by: 'product', country: 'fr' })).toMatch(/^NOT_FOUND country: .*filter by: product/);
    expect(await refused({ by: '', from: '2024-01-01T00:30:00Z' })).toMatch(
      /^BAD_REQUEST from: .*1h.*2024-01-01T00:00:00.000Z or 2024-01-01T01:00:00.000Z/,
    );
    expect(await refused({ by: '', from: 'yesterday' })).toMatch(/^BAD_REQUEST from: expected a time/);
    expect(await refused({ by: '', from: '2024-01-02', to: '2024-01-01' })).toMatch(
      /^BAD_REQUEST to: must lie after from/,
    );
    expect(await refused({ by: '', order: '-price' })).toMatch(/^BAD_REQUEST order: possible are events, revenue/);
    expect(await refused({ by: '', panes: 'all' })).toMatch(/^BAD_REQUEST panes: possible are each, merged/);
    expect(await refused({ by: '', limit: '0' })).toMatch(/^BAD_REQUEST limit: expected 1 to 10000/);
    expect(await refused({ by: '', limit: ['1', '2'] })).toMatch(/^BAD_REQUEST limit: may be given once/);
    expect(await refused({ by: '', cursor: 'abc' })).toMatch(/^BAD_REQUEST cursor: not one of this question/);
    expect(await refused({ by: 'gift', from: '2024-01-01' }, totals)).toMatch(
      /^BAD_REQUEST from: totals counts all time/,
    );
    expect(await refused({ by: 'gift', gift: 'maybe' }, totals)).toMatch(
      /^BAD_REQUEST gift: possible are true, false, null/,
    );
    expect(await refused({ by: 'quantity', quantity: '1.5' }, totals)).toMatch(
      /^BAD_REQUEST quantity: expected an integer/,
    );
    expect(await refused({ by: 'quantity', quantity: '99999999999999999999' }, totals)).toMatch(/answered/);
    expect(await refused({ by: 'product', product: 'x'.repeat(70) })).toMatch(/^BAD_REQUEST product/);
  });

  it('refuse the cursor of another question', async () => {
    const { cursor } = await ask({ by: 'product', limit: '3' });
    expect(await refused({ by: 'country', limit: '3', cursor: cursor! })).toMatch(/^BAD_REQUEST cursor/);
  });
});
