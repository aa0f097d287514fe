import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SlotTable } from './slot-table.ts';

describe('the slot table', () => {
  it('reuses the oldest free slot first, and undoes in reverse order', () => {
    const steps = fc.array(fc.constantFrom('take', 'release', 'undo'), { maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(steps, (sequence) => {
        const table = new SlotTable();
        let used: number[] = [];
        let free: number[] = [];
        let count = 0;
        const undo: (() => void)[] = [];
        for (const step of sequence) {
          const before = { used: [...used], free: [...free], count };
          if (step === 'undo') {
            undo.pop()?.();
          } else if (step === 'take') {
            const fresh = table.nextIsFresh;
            const slot = table.take();
            expect(slot).toBe(free.shift() ?? count++);
            used.push(slot);
            undo.push(() => {
              table.untake(slot, fresh);
              ({ used, free, count } = before);
            });
          } else if (used.length > 0) {
            const slot = used.shift()!;
            table.release(slot);
            free.push(slot);
            undo.push(() => {
              table.unrelease(slot);
              ({ used, free, count } = before);
            });
          }
          expect([table.count, table.freeCount]).toEqual([count, free.length]);
        }
      }),
    );
  });

  it('keeps address and schema of slots on many pages', () => {
    const table = new SlotTable();
    for (let slot = 0; slot < 10_000; slot++) table.set(table.take(), slot * 3 + 1, slot & 0xffff);
    table.move(4096, 7);
    expect([table.address(0), table.address(4095), table.address(4096), table.address(9999)]).toEqual([
      1, 12_286, 7, 29_998,
    ]);
    expect([table.schemaId(4096), table.schemaId(9999)]).toEqual([4096, 9999]);
  });
});
