import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  defineCell,
  defineCube,
  defineDeployment,
  defineEdge,
  defineEvent,
  defineMapping,
  on,
  toFiles,
} from './index.ts';

/** The deployment `shop`, written in TypeScript, is the one that ships as JSON. */

const folder = join(import.meta.dirname, '../../../infra/deployments/shop');

const user = defineCell({
  name: 'user',
  key: 'text',
  fields: {
    country: { type: 'text', maxBytes: 32, optional: true },
    firstOrder: { type: 'timestamp', optional: true, merge: 'min' },
    lastOrder: { type: 'timestamp', optional: true, merge: 'max' },
  },
});

const product = defineCell({
  name: 'product',
  key: 'text',
  fields: {
    price: { type: 'decimal', scale: 2, optional: true },
    lastOrder: { type: 'timestamp', optional: true, merge: 'max' },
  },
});

const shown = {
  user: { type: 'text', maxBytes: 64 },
  product: { type: 'text', maxBytes: 64 },
  country: { type: 'text', maxBytes: 32 },
} as const;
const sold = { ...shown, price: { type: 'decimal', scale: 2 }, quantity: { type: 'u32' } } as const;
const base = { topic: 'shop-events', key: 'user', user: 'user' } as const;

const pageView = defineEvent({ type: 'page_view', ...base, fields: shown });
const addToCart = defineEvent({ type: 'add_to_cart', ...base, fields: sold });
const purchase = defineEvent({ type: 'purchase', ...base, fields: sold });

const viewed = defineEdge({ name: 'viewed', from: user, to: product, counters: { views: { type: 'u64' } } });
const added = defineEdge({ name: 'added', from: user, to: product, counters: { units: { type: 'u64' } } });
const purchased = defineEdge({
  name: 'purchased',
  from: user,
  to: product,
  counters: { orders: { type: 'u64' }, quantity: { type: 'u64' } },
});

const shopping = defineMapping({
  name: 'shopping',
  on: [
    on(pageView, { edges: [{ edge: viewed, from: 'user', to: 'product', add: { views: 1 } }] }),
    on(addToCart, { edges: [{ edge: added, from: 'user', to: 'product', add: { units: 'quantity' } }] }),
    on(purchase, {
      vertices: [
        { schema: user, key: 'user', set: { country: 'country', firstOrder: 'time', lastOrder: 'time' } },
        { schema: product, key: 'product', set: { price: 'price', lastOrder: 'time' } },
      ],
      edges: [{ edge: purchased, from: 'user', to: 'product', add: { orders: 1, quantity: 'quantity' } }],
    }),
  ],
});

const productActivity = defineCube({
  name: 'product_activity',
  on: [pageView, addToCart, purchase],
  by: [['product'], ['country'], ['product', 'country'], []],
  window: '1m',
  measures: { events: 'count' },
  keep: '2h',
  graceMs: 30_000,
});

const revenueByDay = defineCube({
  name: 'revenue_by_day',
  on: [purchase],
  by: [['product'], ['country'], ['product', 'country'], []],
  window: '1d',
  measures: { orders: 'count', units: { sum: 'quantity' }, revenue: { sum: ['quantity', 'price'] } },
  keep: '30d',
  graceMs: 120_000,
});

const revenueByHour = defineCube({
  name: 'revenue_by_hour',
  on: [purchase],
  by: [['product'], ['country'], []],
  window: '1h',
  measures: {
    orders: 'count',
    units: { sum: 'quantity' },
    revenue: { sum: ['quantity', 'price'] },
    cheapest: { min: 'price' },
    dearest: { max: 'price' },
  },
  keep: '7d',
  graceMs: 120_000,
});

const totals = defineCube({
  name: 'totals',
  on: [purchase],
  by: [['country'], []],
  window: 'all',
  measures: { orders: 'count', revenue: { sum: ['quantity', 'price'] } },
  keep: 'forever',
  graceMs: 120_000,
});

const shop = defineDeployment({
  name: 'shop',
  shards: ['shard-0', 'shard-1'],
  partitions: 64,
  topics: [
    {
      name: 'shop-events',
      partitions: 4,
      retentionMs: 172_800_000,
      retentionBytes: 1_073_741_824,
      records: 'cloudevents',
      deduplicate: { ids: 50_000, hours: 24 },
    },
  ],
  events: [pageView, addToCart, purchase],
  cells: [user, product],
  cubes: [productActivity, revenueByDay, revenueByHour, totals],
  edges: [viewed, added, purchased],
  mappings: [shopping],
});

async function shippedFiles(): Promise<Record<string, unknown>> {
  const files: Record<string, unknown> = {};
  for (const entry of await readdir(folder, { recursive: true })) {
    if (entry.endsWith('.json')) files[entry] = JSON.parse(await readFile(join(folder, entry), 'utf8'));
  }
  return files;
}

describe('the shop in TypeScript', () => {
  it('is the deployment that ships as JSON, to the order of its fields', async () => {
    const shipped = await shippedFiles();
    const files = toFiles(shop);
    expect(files).toEqual(shipped);
    for (const [path, json] of Object.entries(shipped)) expect(JSON.stringify(files[path])).toBe(JSON.stringify(json));
  });
});
