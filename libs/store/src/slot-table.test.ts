import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newSlotTable } from '../test/slot-tables.ts';
import { PAGE_SLOTS } from './page-pool.ts';

interface Model {
  used: { readonly slot: number; readonly schemaId: number }[];
  free: { readonly slot: number; readonly schemaId: number }[];
  /** Slots that were ever taken. */
  fresh: number;
}

const FULL = expect.objectContaining({ code: 'STORE_FULL' });

describe('the slot table', () => {
  it('reuses the oldest free slot of a schema first, and undoes in reverse order', () => {
    const step = fc.tuple(fc.constantFrom('take', 'take', 'release', 'undo'), fc.constantFrom(16, 17));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (sequence) => {
        const { table } = newSlotTable();
        let state: Model = { used: [], free: [], fresh: 0 };
        const undo: (() => void)[] = [];
        for (const [what, schemaId] of sequence) {
          const before = { ...state, used: [...state.used], free: [...state.free] };
          if (what === 'undo') {
            undo.pop()?.();
          } else if (what === 'take') {
            const isFresh = table.nextIsFresh(schemaId);
            const slot = table.take(schemaId);
            const oldest = state.free.findIndex((free) => free.schemaId === schemaId);
            expect(isFresh).toBe(oldest < 0);
            if (oldest < 0) state.fresh += 1;
            else expect(state.free.splice(oldest, 1)[0]!.slot).toBe(slot);
            state.used.push({ slot, schemaId });
            undo.push(() => {
              table.untake(slot, isFresh);
              state = before;
            });
          } else if (state.used.length > 0) {
            const freed = state.used.shift()!;
            table.release(freed.slot);
            state.free.push(freed);
            undo.push(() => {
              table.unrelease(freed.slot);
              state = before;
            });
          }
        }
        expect(state.used.filter(({ slot, schemaId }) => table.schemaId(slot) !== schemaId)).toEqual([]);
        const freeOf = (id: number): number => state.free.filter((free) => free.schemaId === id).length;
        expect([table.used, table.freeOf(16), table.freeOf(17)]).toEqual([state.fresh, freeOf(16), freeOf(17)]);
      }),
    );
  });

  it('keeps the slots of two schemas on pages of their own', () => {
    const { table } = newSlotTable();
    for (let i = 0; i < 5_000; i++) {
      table.fill(table.take(20), i * 2 + 1);
      table.fill(table.take(21), i * 2 + 2);
    }
    const found = new Map<number, number[]>([[20, []], [21, []]]); // prettier-ignore
    for (let slot = 0; slot < table.limit; slot++) {
      if (table.address(slot) !== 0) found.get(table.schemaId(slot))!.push(table.address(slot));
    }
    expect(found.get(20)).toEqual(Array.from({ length: 5_000 }, (_, i) => i * 2 + 1));
    expect(found.get(21)).toEqual(Array.from({ length: 5_000 }, (_, i) => i * 2 + 2));
    expect([table.cells, table.cellsOf(20), table.cellsOf(21), table.cellsOf(22)]).toEqual([10_000, 5_000, 5_000, 0]);
  });

  it('takes pages back in the order they came, whatever their schema, and gives them all back at the end', () => {
    const { table, pool } = newSlotTable();
    const slots = Array.from({ length: 3 * PAGE_SLOTS }, (_, i) => table.take(i % 3));
    const { limit } = table;
    for (const slot of slots.toReversed()) table.untake(slot, true);
    expect([table.used, pool.takenPages]).toEqual([0, 0]);
    expect(slots.map((_, i) => table.take(i % 3))).toEqual(slots);
    expect(table.limit).toBe(limit);
    table.close();
    expect(pool.takenPages).toBe(0);
  });

  it('copies a page at its first write after a snapshot, and no other', () => {
    const { table, pool, pins } = newSlotTable();
    for (let i = 0; i < 2 * PAGE_SLOTS; i++) table.fill(table.take(9), i + 1);
    const bases = [...table.bases.subarray(0, table.pages)];
    pins.now = pins.newest = 1;
    for (let i = 0; i < 2; i++) {
      table.own(5);
      table.move(5, 7_777 + i);
    }
    expect(table.address(5)).toBe(7_778);
    expect(pool.words[bases[0]! + 5]).toBe(6);
    expect(pins.dropped).toEqual([bases[0]]);
    expect(table.bases[1]).toBe(bases[1]);
  });

  it('refuses to take a slot or to copy a page where the pool is at its end, and changes nothing', () => {
    const { table, pins } = newSlotTable(3);
    for (let i = 0; i < 2 * PAGE_SLOTS; i++) table.fill(table.take(9), i + 1);
    expect(() => table.take(9)).toThrow(FULL);
    expect(() => table.take(10)).toThrow(FULL);
    table.release(0);
    pins.now = pins.newest = 1;
    expect(() => table.own(0)).toThrow(FULL);
    expect(() => table.take(9)).toThrow(FULL);
    expect([table.freeOf(9), table.used, table.address(0)]).toEqual([1, 2 * PAGE_SLOTS, 1]);
  });

  it('is filled by recovery in any order, and uses the pages that were left out', () => {
    const { table } = newSlotTable();
    expect(table.claim(5 * PAGE_SLOTS + 3, 30)).toBe(30);
    expect(table.claim(2 * PAGE_SLOTS, 31)).toBe(31);
    expect(table.claim(2 * PAGE_SLOTS + 7, 32)).toBe(31);
    table.move(5 * PAGE_SLOTS + 3, 99);
    table.move(2 * PAGE_SLOTS, 98);
    const visited: number[] = [];
    table.afterRecovery((slot) => visited.push(slot));
    expect(visited).toEqual([2 * PAGE_SLOTS, ...[0, 1, 2, 3].map((at) => 5 * PAGE_SLOTS + at)]);
    expect([table.take(30), table.take(31), table.used]).toEqual([5 * PAGE_SLOTS + 4, 2 * PAGE_SLOTS + 1, 7]);
    expect([table.address(0), table.address(5 * PAGE_SLOTS + 3)]).toEqual([0, 99]);
    const pages = new Set(Array.from({ length: 5 * PAGE_SLOTS }, () => Math.floor(table.take(33) / PAGE_SLOTS)));
    expect([...pages].toSorted((a, b) => a - b)).toEqual([0, 1, 3, 4, 6]);
  });
});
