import { createReadStream, writeFileSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { createInterface } from 'node:readline';
import { MemoryEventLog, readDeployment, RecordWriter, EventCatalogue, topicSpecs } from '@niobe/events';
import { MemoryNetwork, MemorySharedMaps } from '@niobe/grid';
import { BackupServer, MemoryBackupStore } from '@niobe/replication';
import { seededRandom, silentLogger, silentMeter, systemClock } from '@niobe/kernel';
import { startShard } from '../storage-shard/src/service.ts';
import { startAnalytics } from './src/service.ts';
import { Health, HttpServer, PrometheusMeter } from '@niobe/service';
import { DuckDBInstance } from '@duckdb/node-api';

const FILE = '/work/shared/data/retail/online-retail.csv.gz';
const LIMIT = Number(process.argv[2] ?? 600000);
const DUP = process.argv[3] === 'dup';
const deployment = await readDeployment('infra/deployments/retail');
const random = seededRandom(1);
const network = new MemoryNetwork({ clock: systemClock, random });
const maps = new MemorySharedMaps(systemClock);
const log = new MemoryEventLog({ clock: systemClock });
await log.ensureTopics(topicSpecs(deployment.topics));
function parseCsv(line: string): string[] { const out: string[] = []; let cur = ''; let q = false; for (let i = 0; i < line.length; i++) { const c = line[i]!; if (q) { if (c === '"') { if (line[i + 1] === '"') { cur += '"'; i++; } else q = false; } else cur += c; } else if (c === '"') q = true; else if (c === ',') { out.push(cur); cur = ''; } else cur += c; } out.push(cur); return out; }
const writer = new RecordWriter(new EventCatalogue(deployment), systemClock, random);
const producer = await log.producer();
const lineNo = new Map<string, number>(); let n = 0; let batch = []; let pendingLine = '';
const rl = createInterface({ input: createReadStream(FILE).pipe(createGunzip()) });
let header = true;
for await (const raw of rl) {
  if (header) { header = false; continue; }
  const line = pendingLine + raw; 
  if ((line.match(/"/g)?.length ?? 0) % 2 === 1) { pendingLine = line + '\n'; continue; } pendingLine = '';
  const [inv, stock, , qty, date, price, user, country] = parseCsv(line) as string[];
  const k = (lineNo.get(inv!) ?? 0) + 1; lineNo.set(inv!, k);
  const event = { id: `${inv}:${k}`, type: inv!.startsWith('C') ? 'cancel' : 'purchase', time: date!.replace(' ', 'T') + (date!.length <= 16 ? ':00Z' : 'Z'), data: { product: stock, quantity: Number(qty), price, country, ...(user ? { user } : {}) } };
  const accepted = writer.fromJson(event);
  batch.push(accepted.record); if (DUP && random.below(20) === 0) batch.push(accepted.record);
  if (batch.length >= 5000) { await producer.send('retail-events', batch); batch = []; }
  if (++n >= LIMIT) break;
}
if (batch.length) await producer.send('retail-events', batch);
console.log('loaded', n);
for (const name of ['backup-0', 'backup-1']) {
  const server = new BackupServer({ name, deployment: 'retail', bus: network.connect(), store: new MemoryBackupStore(), clock: systemClock, random, logger: silentLogger, meter: silentMeter, onFailure: (e: unknown) => { console.error(e); process.exit(1); } } as never);
  server.start();
}
const base = { maps, clock: systemClock, random, meter: silentMeter, starting: () => undefined, stopping: new AbortController().signal };
const logger = { ...silentLogger, warn: (f: object, m: string) => console.log('WARN', m, f), error: (f: object, m: string) => console.log('ERROR', m, f), child: () => logger } as never;
await Promise.all(['shard-0', 'shard-1'].map((name) => startShard({ name, deployment: 'retail', shards: deployment.shards, partitions: 64, backups: ['backup-0', 'backup-1'], storeBytes: 1024 * 1024 * 1024 }, { ...base, logger, bus: network.connect() } as never)));
console.log('shards up');
const cpu0 = process.cpuUsage(); const t0 = performance.now();
const service = await startAnalytics({ deployment, rebuild: [] }, { ...base, logger, bus: network.connect(), eventLog: log } as never);
const http = await HttpServer.open({ host: '127.0.0.1', port: 0, health: new Health(), meter: new PrometheusMeter('t'), logger: silentLogger, clock: systemClock });
await http.mount(service.routes!);
const ask = async (p: string) => (await fetch(`http://127.0.0.1:${http.port}/v1/cubes/${p}`)).json() as any;
for (;;) { const a = await ask('sales?by='); const got = a.rows?.[0]?.lines ?? 0; if (got >= n) break; await new Promise((r) => setTimeout(r, 50)); if (performance.now() - t0 > 200000) { console.log('timeout', got, service.readiness()); break; } }
const wall = (performance.now() - t0) / 1000; const cpu = process.cpuUsage(cpu0); const cpuS = (cpu.user + cpu.system) / 1e6;
console.log(`events/s ${(n / wall).toFixed(0)}  events per cpu-second (analytics+shards+memory backups+log) ${(n / cpuS).toFixed(0)} wall ${wall.toFixed(1)}`);
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(`CREATE TABLE r AS SELECT * FROM read_csv('${FILE}', all_varchar=true) LIMIT ${n}`);
let bad = 0, total = 0;
for (const [cube, each] of [['sales', false], ['sales_by_day', true]] as const) for (const by of [['product'], ['country'], ['product', 'country'], []]) {
  const cols: Record<string, string> = { product: 'StockCode', country: 'Country' };
  const groups = [...(each ? ["strftime(date_trunc('day', CAST(InvoiceDate AS TIMESTAMP)), '%Y-%m-%dT00:00:00.000Z')"] : []), ...by.map((b) => cols[b]!)];
  const sql = `SELECT ${[...groups, 'count(*)', 'CAST(sum(CAST(Quantity AS BIGINT)*CAST(UnitPrice AS DECIMAL(18,3))) AS VARCHAR)'].join(',')} FROM r ${groups.length ? 'GROUP BY ' + groups.join(',') : ''}`;
  const want = new Map((await db.runAndReadAll(sql)).getRows().map((row) => { const k = row.slice(0, groups.length).map(String).join('|'); return [k, `${row[groups.length]}|${row[groups.length + 1]}`]; }));
  const got = new Map<string, string>(); let cursor: string | undefined; const q0 = performance.now();
  do { const a = await ask(`${cube}?by=${by.join(',')}&limit=10000${cursor ? '&cursor=' + cursor : ''}`); if (!a.rows) { console.log(a); break; } for (const r of a.rows) got.set([...(each ? [r.pane] : []), ...by.map((b) => r[b])].map(String).join('|'), `${r.lines}|${r.revenue}`); cursor = a.cursor; } while (cursor);
  let wrong = 0; for (const [k, v] of want) if (got.get(k) !== v) { if (wrong++ < 3) console.log('DIFF', k, v, got.get(k)); }
  total += want.size; bad += wrong + Math.abs(got.size - want.size); console.log(cube, by.join(','), 'groups', want.size, got.size, 'wrong', wrong, 'query ms', (performance.now() - q0).toFixed(0));
}
console.log('groups', total, 'bad', bad);
process.exit(0);
