import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PurchaseOracle } from './purchase-oracle.ts';

const CSV = `InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,pen,,2,2011-01-01 10:00:00,1.5,ann,x
1,ink,,1,2011-01-01 10:00:00,1.5,ann,x
2,pen,,-1,2011-01-02 10:00:00,1.5,ann,x
3,ink,,4,2011-01-03 10:00:00,1.5,bob,x
3,cup,,4,2011-01-03 10:00:00,1.5,bob,x
C4,ink,,-4,2011-01-04 10:00:00,1.5,bob,x
5,pen,,9,2011-01-05 10:00:00,1.5,,x
6,Pen,,1,2011-01-06 10:00:00,1.5,bob,x
`;

describe('the oracle of purchases', () => {
  const dir = mkdtempSync(join(tmpdir(), 'niobe-oracle-'));
  const file = join(dir, 'retail.csv');
  let oracle: PurchaseOracle;

  beforeAll(async () => {
    writeFileSync(file, CSV);
    oracle = await PurchaseOracle.open(file, Infinity);
  });

  afterAll(() => {
    oracle.close();
    rmSync(dir, { recursive: true });
  });

  it('counts orders and sums quantities by customer and product, without cancellations and unknown customers', async () => {
    expect(Object.fromEntries(await oracle.purchases())).toEqual({
      '["ann","pen"]': ['2', '1'],
      '["ann","ink"]': ['1', '1'],
      '["bob","ink"]': ['1', '4'],
      '["bob","cup"]': ['1', '4'],
      '["bob","Pen"]': ['1', '1'],
    });
  });

  it('has a vertex for each customer and for each product, also of unknown customers', async () => {
    const day = (date: number): number => Date.UTC(2011, 0, date, 10);
    expect((await oracle.vertices('customer')).get('ann')).toEqual([day(1), day(2)]);
    expect((await oracle.vertices('product')).get('pen')).toEqual([day(1), day(5)]);
    expect((await oracle.vertices('customer')).size).toBe(2);
  });

  it('knows what the customers of a product bought too', async () => {
    expect(await oracle.alsoBought('ink')).toEqual([
      ['Pen', 1],
      ['cup', 1],
      ['pen', 1],
    ]);
    expect(await oracle.alsoBought('nothing')).toEqual([]);
  });

  it('chooses products from the most bought on', async () => {
    expect(await oracle.someProducts(2)).toEqual(['ink', 'cup']);
  });

  it('takes the first rows only', async () => {
    const first = await PurchaseOracle.open(file, 2);
    expect((await first.purchases()).size).toBe(2);
    first.close();
  });
});
