/** `record-cells <cells>`: puts, gets and getMany of cells of 64 B with text keys; operations a second. */
import { ByteWriter } from '@niobe/kernel';
import { LoadedStore, type CellKind } from '../loaded-store.ts';
import { getById, getByKey, getMany, rateOf } from '../rate.ts';

const WARM_UP_CELLS = 200_000;
const WORDS = ['number', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh'] as const;

/** A byte and seven i64: 57 bytes beside a key of up to 12. */
const RECORDS: CellKind = {
  key: 'text',
  fields: Object.fromEntries(WORDS.map((name) => [name, { type: 'i64' }])),
  record: Object.fromEntries(WORDS.map((name, i) => [name, i])),
  entryBytesMax: 92,
};

// Neither compiling nor the first touch of a page is measured: the table in C is compiled, and has its pages from the start.
new LoadedStore(RECORDS, WARM_UP_CELLS).load();
const loaded = new LoadedStore(RECORDS, Number(process.argv[2]));
loaded.store.bytes.fill(0);
const put = loaded.load();
const out = new ByteWriter(1024 * 1024);
const figures = {
  put,
  getById: rateOf(loaded, (_, ids) => getById(loaded, ids)),
  getByKey: rateOf(loaded, (block) => getByKey(loaded, block)),
  getMany: rateOf(loaded, (_, ids) => getMany(loaded, ids, out)),
};
console.log(JSON.stringify(figures));
