import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readDeployment } from '@niobe/events';
import { describeWithData } from '@niobe/testing';
import { identifyFile } from './input-file.ts';
import { eventBatches, type EventBatch } from './event-batches.ts';
import { parseMapping, readMapping } from './mapping.ts';
import { REPOSITORY } from './options.ts';
import type { DeclaredEvent } from './row-mapper.ts';

const text = { type: 'text' };
const sale: DeclaredEvent[] = [{ type: 'sale', fields: { item: text } }];
const mapping = parseMapping({ source: 's', id: '{id}', type: 'sale', data: { item: 'item' } });

async function collect(batches: AsyncIterable<EventBatch>): Promise<EventBatch[]> {
  const all: EventBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

describe('eventBatches', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'niobe-replay-'))));
  afterAll(() => rm(folder, { recursive: true }));

  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it('reads plain and gzip files alike, past a byte order mark and empty lines', async () => {
    const csv = '\uFEFFid,item\r\n1,"a ""b"""\r\n\r\n2,ü\r\n';
    for (const path of [file('plain.csv', csv), file('packed.csv', gzipSync(csv))]) {
      const [batch, ...rest] = await collect(eventBatches({ path, mapping, events: sale }));
      expect(rest).toEqual([]);
      expect(batch!.events.map(({ id, data }) => [id, data['item']])).toEqual([
        ['1', 'a "b"'],
        ['2', 'ü'],
      ]);
    }
  });

  it('takes the names of the columns from the mapping where the file has no header', async () => {
    const headless = parseMapping({ ...mapping, columns: ['id', 'item'], separator: ';' });
    const path = file('headless.csv', '1;x\n2;y');
    const [batch] = await collect(eventBatches({ path, mapping: headless, events: sale }));
    expect(batch!.events.map((event) => event.id)).toEqual(['1', '2']);
  });

  it('numbers rows through batches, refusals and skipped rows', async () => {
    const rows = Array.from({ length: 25 }, (_, index) => (index === 12 ? 'wrong' : `${index + 1},x`));
    const path = file('rows.csv', ['id,item', ...rows].join('\n'));
    const batches = await collect(eventBatches({ path, mapping, events: sale, batchRows: 10, skipRows: 4 }));
    expect(batches.map(({ rowsBefore, rows: count }) => [rowsBefore, count])).toEqual([
      [4, 10],
      [14, 10],
      [24, 1],
    ]);
    expect(batches[0]!.refused).toEqual([{ row: 13, reason: '1 columns where the header has 2' }]);
    for (const { events, eventRows } of batches) expect(events.map((event) => Number(event.id))).toEqual(eventRows);
  });

  it('gives the rows behind those skipped the same ids as in one pass', async () => {
    const counted = parseMapping({ ...mapping, counters: { n: 'id' }, id: '{id}:{n}' });
    const path = file('counted.csv', ['id,item', 'a,x', 'b,x', 'a,x', 'a,x', 'b,x'].join('\n'));
    const idsBehind = async (skipRows: number): Promise<string[]> => {
      const batches = await collect(eventBatches({ path, mapping: counted, events: sale, skipRows }));
      return batches.flatMap((batch) => batch.events.map((event) => event.id));
    };
    expect(await idsBehind(0)).toEqual(['a:1', 'b:1', 'a:2', 'a:3', 'b:2']);
    expect(await idsBehind(2)).toEqual(['a:2', 'a:3', 'b:2']);
  });

  it.each([
    ['a file cut short', gzipSync('id,item\n1,x\n'.repeat(50)).subarray(0, 30), /unexpected end of file/],
    ['a file that is not UTF-8', Uint8Array.of(0x69, 0xff, 0x0a), /cannot be read as CSV: .*utf-8/i],
    ['an empty file', '', /is empty; a header line was expected/],
  ])('refuses %s', async (_, content, message) => {
    await expect(collect(eventBatches({ path: file('bad', content), mapping, events: sale }))).rejects.toThrow(message);
  });

  it('tells a missing file from an unreadable one', async () => {
    await expect(identifyFile(join(folder, 'missing.csv'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(identifyFile(folder)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describeWithData('retail/online-retail.csv.gz', 'the retail deployment', (path) => {
  it('makes of each row the event that the data set describes', async () => {
    const folder = join(REPOSITORY, 'infra/deployments/retail');
    const { events } = await readDeployment(folder);
    const retail = await readMapping(join(folder, 'replay.json'));
    const facts = { rows: 0, refused: 0, cancels: 0, withoutUser: 0, negativePrices: 0, thousandths: 0 };
    const seen = {
      ids: new Set<string>(),
      users: new Set(),
      invoices: new Set(),
      items: new Set(),
      countries: new Set(),
    };
    const times: string[] = [];
    for await (const batch of eventBatches({ path, mapping: retail, events })) {
      facts.rows += batch.rows;
      facts.refused += batch.refused.length;
      for (const { id, type, time, data } of batch.events) {
        seen.ids.add(id);
        seen.invoices.add(id.slice(0, id.indexOf(':')));
        seen.items.add(data['product']);
        seen.countries.add(data['country']);
        if (data['user'] === undefined) facts.withoutUser += 1;
        else seen.users.add(data['user']);
        if (type === 'cancel') facts.cancels += 1;
        if (String(data['price']).startsWith('-')) facts.negativePrices += 1;
        if (/\.\d{3}$/.test(String(data['price']))) facts.thousandths += 1;
        if (times.length === 0 || time !== times.at(-1)) times.push(time!);
      }
    }
    expect(facts).toEqual({
      rows: 541_909,
      refused: 0,
      cancels: 9_288,
      withoutUser: 135_080,
      negativePrices: 2,
      thousandths: 4,
    });
    expect(Object.values(seen).map((values) => values.size)).toEqual([541_909, 4_372, 25_900, 4_070, 38]);
    expect([times[0], times.at(-1)]).toEqual(['2010-12-01T08:26:00.000Z', '2011-12-09T12:50:00.000Z']);
    expect(seen.users).toContain('17850.0');
  }, 60_000);
});
