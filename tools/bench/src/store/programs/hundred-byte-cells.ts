/** `hundred-byte-cells <cells>`: puts, overwrites and gets by key of cells of 100 B with integer keys; operations a second. */
import { LoadedStore, type CellKind } from '../loaded-store.ts';
import { getByKey, overwriteRate, rateOf } from '../rate.ts';

const WARM_UP_CELLS = 200_000;

/** A byte, the number, the end of the filling and 85 bytes of it, beside a key of 8 bytes. */
const HUNDRED_BYTES: CellKind = {
  key: 'integer',
  fields: { number: { type: 'i32' }, filling: { type: 'bytes' } },
  record: { number: 0, filling: new Uint8Array(85).fill(7) },
  entryBytesMax: 120,
};

const warmUp = new LoadedStore(HUNDRED_BYTES, WARM_UP_CELLS);
warmUp.load();
overwriteRate(warmUp);
const loaded = new LoadedStore(HUNDRED_BYTES, Number(process.argv[2]));
const figures = {
  put: loaded.load(),
  getByKey: rateOf(loaded, (block) => getByKey(loaded, block)),
  overwrite: overwriteRate(loaded),
};
console.log(JSON.stringify(figures));
