/** `small-cells <text|integer> <cells>`: resident bytes per cell of two i32, puts and gets a second. */
import { LoadedStore, type CellKind } from '../loaded-store.ts';
import { getById, getByKey, rateOf } from '../rate.ts';

const kind: CellKind = {
  key: process.argv[2] === 'integer' ? 'integer' : 'text',
  fields: { count: { type: 'i32' }, score: { type: 'i32' } },
  record: { count: 0, score: 1023 },
  entryBytesMax: 44,
};

const loaded = new LoadedStore(kind, Number(process.argv[3]));
globalThis.gc?.();
const startBytes = process.memoryUsage.rss();
const put = loaded.load();
globalThis.gc?.();
const bytes = (process.memoryUsage.rss() - startBytes) / loaded.cells;
const figures = {
  put,
  bytes,
  getById: rateOf(loaded, (_, ids) => getById(loaded, ids)),
  getByKey: rateOf(loaded, (block) => getByKey(loaded, block)),
};
console.log(JSON.stringify(figures));
