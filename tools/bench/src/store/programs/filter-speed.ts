/** `filter-speed <records>`: records a second that a filter on one field looks at, in cells and in objects, in turn. */
import { assert, systemClock } from '@niobe/kernel';
import { FilteredCells, FilteredObjects, type FilteredRecords } from '../filtered-records.ts';

const PASSES = 15;
const WARM_PASSES = 5;

const records = Number(process.argv[2]);
const sides: Readonly<Record<string, FilteredRecords>> = {
  cells: new FilteredCells(records),
  objects: new FilteredObjects(),
};
for (const side of Object.values(sides)) side.add(records);
const rates: Record<string, number[]> = { cells: [], objects: [] };
for (let pass = 0; pass < WARM_PASSES + PASSES; pass++) {
  for (const [name, side] of Object.entries(sides)) {
    const startMs = systemClock.monotonicMs();
    const matches = side.filter();
    const spentMs = systemClock.monotonicMs() - startMs;
    assert(Math.abs(matches - records / 10) < records / 50, 'about one record in ten matches');
    if (pass >= WARM_PASSES) rates[name]!.push((records * 1000) / spentMs);
  }
}
const medians = Object.entries(rates).map(([name, all]) => [name, all.toSorted((a, b) => a - b)[PASSES >> 1]]);
console.log(JSON.stringify(Object.fromEntries(medians)));
