import { ByteWriter } from '@niobe/kernel';
import { LoadedStore } from '../loaded-store.ts';
import { getById, getByKey } from '../rate.ts';
import * as rate from '../rate.ts';
const WORDS = ['number', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh'] as const;
const kind: any = { key: 'text', fields: Object.fromEntries(WORDS.map((name) => [name, { type: 'i64' }])), record: Object.fromEntries(WORDS.map((name, i) => [name, i])), entryBytesMax: 92 };
const n = Number(process.argv[2]);
const B = 51200;
const best: any = {};
const cpu = () => (process as any).threadCpuUsage().user;
const note = (k: string, ns: number) => { best[k] = Math.min(best[k] ?? 1e9, ns); };
const out = new ByteWriter(1 << 20);
const rounds = Number(process.argv[3] ?? 3);
for (let k = 0; k < rounds; k++) {
  const loaded: any = new LoadedStore(kind, n);
  loaded.store.bytes.fill(0);
  const order = loaded.randomNumbers(n); for (let i = 0; i < n; i++) order[i] = (i * 7919) % n;
  let us = 0;
  for (let from = 0; from < n; from += B) { const block = loaded.block(order.subarray(from, from + B)); const t = cpu(); loaded.put(block); us += cpu() - t; for (let i = 0; i < block.count; i++) loaded.ids[order[from + i]] = loaded.store.idOf(loaded.find(block, i)); }
  note('put', us * 1000 / n);
  for (let r = 0; r < 5; r++) {
    const numbers = loaded.randomNumbers(B); const block = loaded.block(numbers); const ids = Float64Array.from(numbers, (x: number) => loaded.ids[x]);
    let t = cpu(); getById(loaded, ids); note('id', (cpu() - t) / B * 1e3);
    t = cpu(); getByKey(loaded, block); note('key', (cpu() - t) / B * 1e3);
    if ((rate as any).getMany) { t = cpu(); (rate as any).getMany(loaded, ids, out); note('many', (cpu() - t) / B * 1e3); }
    t = cpu(); loaded.put(block); note('same', (cpu() - t) / B * 1e3);
    for (let i = 0; i < block.count; i++) block.bytes[block.starts[2 * i + 2] - 1]! ^= 1;
    t = cpu(); loaded.put(block); note('over', (cpu() - t) / B * 1e3);
  }
}
console.log(n, JSON.stringify(Object.fromEntries(Object.entries(best).map(([k, v]: any) => [k, Math.round(v)]))));
