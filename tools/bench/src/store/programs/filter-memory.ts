/** `filter-memory <cells|objects> <records>`: bytes of memory per record of records of twelve fields. */
import { assert } from '@niobe/kernel';
import { filterOfCells, filterOfObjects } from '../filtered-records.ts';

/** Made before the count begins, and kept: what any number of records takes is there then. */
const FIRST_RECORDS = 100_000;

const filterOf = process.argv[2] === 'cells' ? filterOfCells : filterOfObjects;
const records = Number(process.argv[3]);
const first = filterOf(FIRST_RECORDS);
const startBytes = usedBytes();
const filter = filterOf(records);
const bytes = (usedBytes() - startBytes) / records;
assert(first() < filter(), 'the records are still there');
console.log(JSON.stringify({ bytes }));

/** Resident bytes, without what the collector keeps for objects to come. */
function usedBytes(): number {
  globalThis.gc?.();
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return rss - heapTotal + heapUsed;
}
