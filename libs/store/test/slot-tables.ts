import { PagePool } from '../src/page-pool.ts';
import { SlotTable, type PagePins } from '../src/slot-table.ts';

/** Pins of a table that no snapshot looks at, unless a test moves its moments. */
export class PlainPins implements PagePins {
  readonly pool: PagePool;
  now = 0;
  newest = 0;
  readonly dropped: number[] = [];

  constructor(pool: PagePool) {
    this.pool = pool;
  }

  dropPage(base: number): void {
    if (this.pool.bornAt(base) < this.newest) this.dropped.push(base);
    else this.pool.give(base);
  }

  givePages(): boolean {
    return false;
  }
}

/** A slot table on a pool of its own. */
export function newSlotTable(pages = 64): { table: SlotTable; pool: PagePool; pins: PlainPins } {
  const pool = new PagePool(pages);
  const pins = new PlainPins(pool);
  return { table: new SlotTable(pool, pins), pool, pins };
}
