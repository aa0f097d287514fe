import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventIdentity } from './event-identity.ts';
import { SeenTable, SLOT_BYTES, type SeenWindow } from './seen-table.ts';

const WINDOW: SeenWindow = { ids: 20, seconds: 100 };

interface Arrival {
  readonly id: number;
  readonly second: number;
}

/** Few ids that come often, arrivals that jump over the window now and then. */
const arrivals = fc
  .array(
    fc.record({
      id: fc.nat(12),
      step: fc.oneof({ weight: 9, arbitrary: fc.nat(3) }, fc.integer({ min: 90, max: 130 })),
    }),
    { maxLength: 200, size: 'max' },
  )
  .map((list) => {
    let second = 1000;
    return list.map(({ id, step }): Arrival => ({ id, second: (second += step) }));
  });

function hashOf(id: number): Uint32Array {
  // The same first word for many ids, so that probing has work to do.
  return Uint32Array.of(id % 3, id, id * 7, id * 13);
}

/** The definition, over the whole content from its start. */
function oracle(list: readonly Arrival[]): boolean[] {
  const first = new Map<number, number[]>();
  return list.map(({ id, second }, offset) => {
    const seen = first.get(id) ?? [];
    first.set(id, seen);
    const newest = seen.at(-1);
    const duplicate =
      newest !== undefined && offset - newest <= WINDOW.ids && second - list[newest]!.second <= WINDOW.seconds;
    if (!duplicate) seen.push(offset);
    return duplicate;
  });
}

describe('SeenTable', () => {
  it('decides as the definition does, also on replays from any older offset', () => {
    fc.assert(
      fc.property(arrivals, fc.array(fc.nat(40), { maxLength: 8, size: 'max' }), (list, backs) => {
        const expected = oracle(list);
        const table = new SeenTable(WINDOW, 10_000);
        const wrong: number[] = [];
        let offset = 0;
        let lowestCursor = 0;
        for (const back of [...backs, 0]) {
          const until = Math.min(list.length, offset + 30);
          for (; offset < until; offset++) {
            const { id, second } = list[offset]!;
            if (table.isDuplicate(hashOf(id), 0, offset, second) !== expected[offset]) wrong.push(offset);
          }
          offset = lowestCursor = Math.max(lowestCursor, offset - back);
          table.raiseFloor(lowestCursor - WINDOW.ids);
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('decides alike after a restart from stored entries, whichever of them lie above the position', () => {
    fc.assert(
      fc.property(arrivals, fc.nat(200), fc.nat(200), (list, stored, position) => {
        const expected = oracle(list);
        const table = new SeenTable(WINDOW, 10_000);
        const from = Math.min(position, stored, list.length);
        for (let offset = Math.max(0, from - WINDOW.ids); offset < Math.min(stored, list.length); offset++) {
          if (!expected[offset]) table.remember(hashOf(list[offset]!.id), 0, offset, list[offset]!.second);
        }
        const decided = list
          .slice(from)
          .map(({ id, second }, index) => table.isDuplicate(hashOf(id), 0, from + index, second));
        expect(decided).toEqual(expected.slice(from));
      }),
      { numRuns: 60 },
    );
  });

  it('keeps to its room while the floor rises, and refuses when it does not', () => {
    const table = new SeenTable({ ids: 1000, seconds: 1e9 }, 5000);
    const identity = new EventIdentity();
    let duplicates = 0;
    for (let offset = 0; offset < 100_000; offset++) {
      identity.read('source', `id ${offset}`);
      if (table.isDuplicate(identity.hash, 0, offset, 1)) duplicates += 1;
      table.raiseFloor(offset - 1000);
    }
    expect(duplicates).toBe(0);
    expect(table.bytes).toBeLessThanOrEqual(8192 * SLOT_BYTES);
    const fill = (): void => {
      for (let offset = 100_000; offset < 200_000; offset++) {
        identity.read('source', `id ${offset}`);
        table.isDuplicate(identity.hash, 0, offset, 1);
      }
    };
    expect(fill).toThrow(expect.objectContaining({ code: 'BUSY' }));
  });
});

describe('EventIdentity', () => {
  it('tells source and id apart, also beyond ASCII', () => {
    const identity = new EventIdentity();
    const hashes = new Set(
      [
        ['a', 'bc'],
        ['ab', 'c'],
        ['', 'abc'],
        ['abc', ''],
        ['ä', 'b'],
        ['Ã¤', 'b'],
        ['日本', ''],
      ].map(([source, id]) => {
        identity.read(source!, id!);
        return identity.hash.join();
      }),
    );
    expect(hashes.size).toBe(7);
  });
});
