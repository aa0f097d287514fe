import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NiobeError, systemClock, until } from '@niobe/kernel';
import { BatchSender } from '../batch-sender.ts';
import type { Check } from '../check.ts';
import { CubeClient } from '../cube-client.ts';
import { untilLoaded } from '../retail/loader-progress.ts';
import { retailLines } from '../retail/retail-lines.ts';
import { retailFile, retailSystem } from '../retail/retail-system.ts';
import type { LocalSystem } from '../system/local-system.ts';
import type { ServiceProcess } from '../system/service-process.ts';
import { openTopicWriter } from '../topic-writer.ts';
import { TraverseClient } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import { parseExposition, type Series } from './exposition.ts';

const EVENTS = 20_000;
const MAX_SERIES = 1_000;
/** Appears in every text field of some events; it must appear nowhere else. */
const MARKER = 'Marker7f3aZq';
const OWN_NAME = /^niobe_(ingest|storage_shard|analytics|backup|traversal)_[a-z0-9]+(_[a-z0-9]+)*$/;

/** Counters the other checks and the dashboards stand on, by the name of the service without its number. */
const RISING: Readonly<Record<string, readonly string[]>> = {
  ingest: ['niobe_ingest_events_accepted_total', 'niobe_ingest_events_rejected_total'],
  analytics: [
    'niobe_analytics_events_folded_total',
    'niobe_analytics_events_duplicate_total',
    'niobe_analytics_events_dead_total',
  ],
  loader: [
    'niobe_ingest_loader_events_total',
    'niobe_ingest_loader_events_duplicate_total',
    'niobe_ingest_loader_absent_keys_total',
    'niobe_ingest_loader_links_total',
  ],
  traversal: ['niobe_traversal_search_seconds_count'],
  shard: [
    'niobe_storage_shard_requests_total',
    'niobe_storage_shard_operations_total',
    'niobe_storage_shard_edge_ends_added_total',
  ],
  backup: ['niobe_backup_rounds_total', 'niobe_backup_journal_written_bytes_total'],
};

/** What every `/metrics` says while events flow. */
export const metrics: Check = {
  summary: '/metrics of every service: promtool, names, number of series, nothing of any event, counters that move',
  async run(verdict, options) {
    await requirePromtool();
    const system = await retailSystem(options);
    try {
      await system.start();
      const before = await readAll(system);
      await feed(system);
      for (const service of system.services) await expectGoodMetrics(verdict, service, before.get(service.name) ?? []);
      expectNoMarker(verdict, system);
    } finally {
      if (options.keep) await system.killAll();
      else await system.destroy();
    }
  },
};

async function requirePromtool(): Promise<void> {
  const { code } = await promtool('').catch(() => ({ code: -1 }));
  if (code !== 0)
    throw new NiobeError('BAD_CONFIG', "promtool is not on the PATH; install it with 'apt-get install prometheus'");
}

async function promtool(exposition: string): Promise<{ code: number; output: string }> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(exposition);
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

/** Events of every fate: counted, repeated, refused, and garbage in the topic. */
async function feed(system: LocalSystem): Promise<void> {
  const sender = new BatchSender({ url: system.ingest.url });
  for await (const line of retailLines(retailFile(), EVENTS)) await sender.add(line);
  for await (const line of retailLines(retailFile(), 1_000)) await sender.add(line);
  const marked = {
    id: `${MARKER}-1`,
    type: 'purchase',
    data: { product: MARKER, quantity: 1, price: '1.000', country: MARKER, user: MARKER, description: MARKER },
  };
  await sender.add({ id: marked.id, json: JSON.stringify(marked) });
  await sender.close();
  await postRefused(system, { ...marked, type: MARKER });
  await postRefused(system, { ...marked, data: { ...marked.data, quantity: MARKER } });
  await produceGarbage(system);
  await new CubeClient(system.analytics.url).reaches('sales', 'lines', EVENTS + 1, 120_000);
  await untilLoaded(system.loader, EVENTS + 1);
  await search(system);
  const dead = async (): Promise<boolean> =>
    (await read(system.analytics)).some(
      (series) => series.name === 'niobe_analytics_events_dead_total' && series.value > 0,
    );
  await until(systemClock, dead, 60_000, 'a dead letter');
}

/** Asks for the neighbours of the marked product, and of one that nobody has. */
async function search(system: LocalSystem): Promise<void> {
  const traverse = new TraverseClient(system.traversal.url);
  for (const key of [MARKER, `${MARKER}-2`]) {
    const start = [{ schema: 'product', key }];
    const hops = [{ edge: 'purchased', direction: 'in' }];
    await traverse.post(JSON.stringify({ start, hops, return: 'vertices' }));
  }
}

async function postRefused(system: LocalSystem, event: object): Promise<void> {
  const response = await fetch(`${system.ingest.url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(event),
  });
  await response.arrayBuffer();
}

async function produceGarbage(system: LocalSystem): Promise<void> {
  const writer = await openTopicWriter(system.kafka.address);
  await writer.send('retail-events', [
    { key: new TextEncoder().encode(MARKER), value: new TextEncoder().encode(`{"${MARKER}`) },
  ]);
  await writer.close();
}

async function read(service: ServiceProcess): Promise<readonly Series[]> {
  return parseExposition(await (await fetch(`${service.url}/metrics`)).text());
}

async function readAll(system: LocalSystem): Promise<Map<string, readonly Series[]>> {
  const all = new Map<string, readonly Series[]>();
  for (const service of system.services) all.set(service.name, await read(service));
  return all;
}

async function expectGoodMetrics(verdict: Verdict, service: ServiceProcess, before: readonly Series[]): Promise<void> {
  const exposition = await (await fetch(`${service.url}/metrics`)).text();
  const { code, output } = await promtool(exposition);
  verdict.expect(code === 0, `${service.name}: promtool check metrics`, output.trim().split('\n')[0] ?? '');
  const series = parseExposition(exposition);
  verdict.expect(series.length < MAX_SERIES, `${service.name}: fewer than ${MAX_SERIES} series`, String(series.length));
  const odd = series.filter(({ name }) => name.startsWith('niobe') && !OWN_NAME.test(name));
  verdict.expect(odd.length === 0, `${service.name}: own names are niobe_<service>_<noun>_<unit>`, odd[0]?.name ?? '');
  verdict.expect(!exposition.includes(MARKER), `${service.name}: no label value comes from an event`);
  for (const name of RISING[service.name.replace(/-\d+$/, '')] ?? []) {
    const [was, is] = [total(before, name), total(series, name)];
    verdict.expect(is > was, `${service.name}: ${name} moves`, `${was} -> ${is}`);
  }
}

function total(series: readonly Series[], name: string): number {
  return series.filter((one) => one.name === name).reduce((sum, one) => sum + one.value, 0);
}

function expectNoMarker(verdict: Verdict, system: LocalSystem): void {
  for (const service of system.services) {
    const log = readFileSync(join(system.dir, `${service.name}.log`), 'utf8');
    verdict.expect(!log.includes(MARKER), `${service.name}: no text of an event in its log`);
  }
}
