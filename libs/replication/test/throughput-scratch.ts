import { systemClock, seededRandom } from '@niobe/kernel';
import { MemoryNetwork } from '@niobe/grid';
import { DiskBackupStore } from '@niobe/disk';
import { BackupServer, LogShipper, MemoryBackupStore } from '@niobe/replication';
import { mkdtempSync, rmSync } from 'node:fs';
import { Cells, MIB } from './cells.ts';
const clock = systemClock; const random = seededRandom(1);
const kind = process.argv[2];
const network = new MemoryNetwork({ clock });
const dir = mkdtempSync('/var/tmp/niobe-bench-');
const store = kind === 'disk' ? await DiskBackupStore.open({ folder: dir }) : new MemoryBackupStore();
const server = new BackupServer({ bus: network.connect(), store, deployment: 'd', name: 'b', clock, random });
server.start();
const shipper = new LogShipper({ bus: network.connect(), deployment: 'd', backups: ['b'], owner: 'o@1', clock });
const N = 32;
const logs = [];
for (let p = 0; p < N; p++) {
  const log = shipper.open({ partition: p, epoch: 1, base: [], baseSeq: 0 });
  const cells = new Cells({ partition: p, epoch: 1, firstSegment: 1, clock, events: log, arenaBytes: 32 * MIB });
  shipper.attach(log, cells.store); logs.push({ log, cells });
}
let bytes = 0; const start = performance.now(); const cpu0 = process.cpuUsage();
let writeMs = 0;
for (let round = 0; round < 400; round++) {
  const w = performance.now();
  const waits = logs.map(({ cells, log }, p) => { const seq = cells.write(new Map([[`k${round % 50}`, round]]), 10_000); bytes += 10_100; cells.store.clean(0.2); return [p, seq] as const; });
  writeMs += performance.now() - w;
  await Promise.all(waits.map(([p, seq]) => shipper.whenDurable(p, seq, 60_000)));
}
const ms = performance.now() - start; const cpu = process.cpuUsage(cpu0);
console.log(kind, (bytes / 1e6).toFixed(0), 'MB', (bytes / ms / 1000).toFixed(1), 'MB/s wall', 'cpu ms', ((cpu.user + cpu.system) / 1000).toFixed(0), 'of it writing', writeMs.toFixed(0), 'MB per cpu s (without writing)', (bytes / 1e3 / ((cpu.user + cpu.system) / 1000 - writeMs)).toFixed(0));
shipper.close(); await server.close(); await store.close(); rmSync(dir, { recursive: true }); process.exit(0);
