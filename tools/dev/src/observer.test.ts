import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@niobe/kernel';
import { Observer } from './observer.ts';
import { sumsByLabel, sumsByName } from './prometheus-text.ts';

describe('sumsByName', () => {
  it('adds up labels and passes over comments, buckets and what is no number', () => {
    const page = [
      '# HELP a_total Things.',
      'a_total{x="1"} 3',
      'a_total{x="2"} 4.5 1700000000',
      'b 1e3',
      'c_bucket{le="1"} 9',
      'd NaN',
    ].join('\n');
    expect([...sumsByName(page)]).toEqual([
      ['a_total', 7.5],
      ['b', 1000],
    ]);
  });
});

describe('sumsByLabel', () => {
  it('adds up the series of one metric by a label', () => {
    const page = ['a{x="1",y="p"} 3', 'a{y="q",x="1"} 4', 'a{x="2"} 5', 'ab{x="1"} 6', 'a 7'].join('\n');
    expect([...sumsByLabel(page, 'a', 'x')]).toEqual([
      ['1', 7],
      ['2', 5],
    ]);
  });
});

describe('Observer', () => {
  let server: Server;
  let url: string;
  let accepted = 100;
  let asked = '';
  let graph = '';
  const pages: Record<string, () => [number, string]> = {
    '/readyz': () => [503, '{"detail":"no backup"}'],
    '/metrics': () => [200, `niobe_ingest_events_accepted_total{type="x"} ${accepted}\n${graph}`],
    '/v1/cubes/activity': () => [200, '{"rows":[{"product":"p1","events":12}],"asOf":"now"}'],
  };

  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = request.url!.split('?')[0]!;
      if (path.startsWith('/v1')) asked = request.url!;
      const [status, body] = pages[path]?.() ?? [404, '{}'];
      response.writeHead(status).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('reports readiness, rates between two looks and the top of the last minutes', async () => {
    const clock = new ManualClock(Date.UTC(2020, 0, 1, 12, 30, 15));
    const cubes = [{ name: 'activity', on: [], by: [['product'], []], window: '1m', counts: ['events'] }];
    const services = [
      { name: 'ingest', url, http: true, trouble: () => '', memoryBytes: () => 5 },
      { name: 'nats', url: 'nats://x', http: false, trouble: () => 'restarting', memoryBytes: () => null },
      { name: 'gone', url: 'http://127.0.0.1:1', http: true, trouble: () => '', memoryBytes: () => null },
    ];
    const observer = new Observer({ services, analyticsUrl: url, cubes, clock });
    const first = await observer.look();
    expect(first.services.map(({ name, ready, reason }) => [name, ready, reason])).toEqual([
      ['ingest', false, 'no backup'],
      ['nats', false, 'restarting'],
      ['gone', false, 'no answer'],
    ]);
    expect([first.eventsPerSecond, first.consumerLag, first.cells]).toEqual([null, null, null]);
    expect(first.top).toEqual({
      dimension: 'product',
      measure: 'events',
      sinceMs: Date.UTC(2020, 0, 1, 12, 29),
      groups: [{ name: 'p1', count: 12 }],
    });
    expect(asked).toBe(
      '/v1/cubes/activity?by=product&from=2020-01-01T12%3A29%3A00.000Z&to=2020-01-01T12%3A31%3A00.000Z&panes=merged&order=-events&limit=5',
    );
    expect([first.vertices, first.edges]).toEqual([null, null]);
    accepted += 1_000;
    clock.advance(2_000);
    expect((await observer.look()).eventsPerSecond).toBe(500);
  });

  it('counts a directed edge where it leaves, one without direction by its two ends, and the larger lag', async () => {
    graph = [
      'niobe_analytics_lag_records{topic="a",partition="0"} 3',
      'niobe_ingest_loader_lag_records{topic="a",partition="0"} 4',
      'niobe_storage_shard_graph_vertices{schema="user"} 5',
      'niobe_storage_shard_graph_vertices{schema="page"} 2',
      'niobe_storage_shard_graph_edge_ends{edge="viewed",direction="out"} 40',
      'niobe_storage_shard_graph_edge_ends{edge="viewed",direction="in"} 39',
      'niobe_storage_shard_graph_edge_ends{edge="knows",direction="both"} 7',
    ].join('\n');
    const services = [{ name: 'shard-0', url, http: true, trouble: () => '', memoryBytes: () => null }];
    const observer = new Observer({ services, analyticsUrl: url, cubes: [], clock: new ManualClock() });
    expect(await observer.look()).toMatchObject({ vertices: 7, edges: 44, consumerLag: 4 });
  });
});
