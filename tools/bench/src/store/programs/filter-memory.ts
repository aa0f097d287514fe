/** `filter-memory <cells|objects> <records>`: bytes of memory per record of records of twelve fields. */
import { assert } from '@niobe/kernel';
import { FilteredCells, FilteredObjects } from '../filtered-records.ts';

/** Added before the count begins: what any number of records takes is there then. */
const FIRST_RECORDS = 100_000;

const records = Number(process.argv[3]);
const side = process.argv[2] === 'cells' ? new FilteredCells(FIRST_RECORDS + records) : new FilteredObjects();
side.add(FIRST_RECORDS);
const startBytes = usedBytes();
side.add(records);
const bytes = (usedBytes() - startBytes) / records;
assert(side.filter() > 0, 'the records are still there');
console.log(JSON.stringify({ bytes }));

/** Resident bytes, without what the collector keeps for objects to come. */
function usedBytes(): number {
  globalThis.gc?.();
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return rss - heapTotal + heapUsed;
}
