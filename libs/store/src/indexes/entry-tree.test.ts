import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EntryTree } from './entry-tree.ts';
import { NODE_ENTRIES, type Ties } from './node-pool.ts';
import { TreeCursor } from './tree-cursor.ts';

/** A tree beside the sorted array it must equal. */
class Trial implements Ties {
  isExact = false;
  readonly tree: EntryTree;
  readonly #values: ReadonlyMap<number, number> | null;
  readonly #exactBelow: number;
  readonly #hasItems: boolean;
  #sought = 0;
  /** Slots that have an entry. */
  readonly #present = new Set<number>();
  readonly #model = new Map<string, Entry>();

  /**
   * @param values what lies behind the keys: value by slot, or null where keys are the values
   * @param exactBelow keys below it are the values in any case; then entries have no items
   */
  constructor(values: ReadonlyMap<number, number> | null, exactBelow = 0) {
    this.#values = values;
    this.#exactBelow = exactBelow;
    this.#hasItems = values !== null && exactBelow === 0;
    this.tree = new EntryTree(values === null ? null : this, this.#hasItems);
  }

  /** Equal keys are told apart by slot and item together. */
  compare(slot: number, item: number): number {
    if (slot !== this.#sought && !this.#present.has(slot))
      throw new Error(`slot ${slot} has gone: its value cannot be read`);
    if (this.isExact) return 0;
    if (this.#hasItems && item !== itemOf(slot)) throw new Error(`item ${item} of slot ${slot}`);
    return this.#values!.get(slot)! - this.#values!.get(this.#sought)!;
  }

  toggle(key: number, slot: number): void {
    this.#sought = slot;
    this.isExact = key < this.#exactBelow;
    if (this.#model.delete(`${key} ${slot}`)) {
      this.tree.remove(key, slot);
      this.#present.delete(slot);
    } else {
      this.#present.add(slot);
      this.tree.insert(key, slot, itemOf(slot));
      this.#model.set(`${key} ${slot}`, { key, slot });
    }
  }

  sorted(): Entry[] {
    const valueOf = ({ key, slot }: Entry): number => (key < this.#exactBelow ? 0 : (this.#values?.get(slot) ?? 0));
    return [...this.#model.values()].toSorted((a, b) => a.key - b.key || valueOf(a) - valueOf(b) || a.slot - b.slot);
  }

  check(): void {
    const sorted = this.sorted();
    expect(this.tree.count).toBe(sorted.length);
    if (sorted.length === 0) return;
    expect(textOf(forward(this.tree))).toBe(textOf(sorted));
    expect(textOf(backward(this.tree))).toBe(textOf(sorted.toReversed()));
  }
}

function itemOf(slot: number): number {
  return (slot * 31) % 1000;
}

interface Entry {
  readonly key: number;
  readonly slot: number;
}

/** Long lists are compared as text: item by item takes too long. */
function textOf(entries: readonly Entry[]): string {
  return entries.map(({ key, slot }) => `${key} ${slot}`).join(', ');
}

function forward(tree: EntryTree): Entry[] {
  const cursor = new TreeCursor(tree);
  const end = new TreeCursor(tree);
  const entries: Entry[] = [];
  end.toEnd();
  for (cursor.toFirst(); !cursor.equals(end); cursor.next()) entries.push({ key: cursor.key, slot: cursor.slot });
  return entries;
}

function backward(tree: EntryTree): Entry[] {
  const cursor = new TreeCursor(tree);
  const first = new TreeCursor(tree);
  const entries: Entry[] = [];
  first.toFirst();
  for (cursor.toEnd(); !cursor.equals(first);) {
    cursor.back();
    entries.push({ key: cursor.key, slot: cursor.slot });
  }
  return entries;
}

const runs = fc.array(
  fc.record({
    from: fc.nat(1500),
    length: fc.integer({ min: 1, max: 700 }),
    step: fc.constantFrom(1, -1, 7),
    keys: fc.constantFrom(1, 5, 100_000),
  }),
  { minLength: 1, maxLength: 12, size: 'max' },
);

describe('an entry tree', () => {
  it('is a sorted array, through runs that insert what is missing and remove what is there', () => {
    let highest = 0;
    fc.assert(
      fc.property(runs, (sequence) => {
        const trial = new Trial(null);
        for (const { from, length, step, keys } of sequence) {
          for (let i = 0; i < length; i++) {
            const slot = (from + i * step + 2000 * 7) % 2000;
            trial.toggle((slot * 2654435761) % keys, slot);
          }
          highest = Math.max(highest, trial.tree.height);
          trial.check();
        }
      }),
      { numRuns: 40 },
    );
    expect(highest).toBeGreaterThan(0);
  });

  it('orders equal keys by the values behind them', () => {
    fc.assert(
      fc.property(runs, fc.integer(), (sequence, salt) => {
        const values = new Map(Array.from({ length: 2000 }, (_, slot) => [slot, (slot * 48271 + salt) % 300]));
        const trial = new Trial(values);
        for (const { from, length, step } of sequence) {
          for (let i = 0; i < length; i++) {
            const slot = (from + i * step + 2000 * 7) % 2000;
            trial.toggle(Math.floor(values.get(slot)! / 100), slot);
          }
          trial.check();
        }
      }),
      { numRuns: 25 },
    );
  });

  it('orders keys that are values beside keys that are not', () => {
    fc.assert(
      fc.property(runs, (sequence) => {
        const values = new Map(Array.from({ length: 2000 }, (_, slot) => [slot, (slot * 48271) % 300]));
        const trial = new Trial(values, 40);
        for (const { from, length, step } of sequence) {
          for (let i = 0; i < length; i++) {
            const slot = (from + i * step + 2000 * 7) % 2000;
            trial.toggle((slot * 31) % 60, slot);
          }
          if (length % 2 === 0) trial.check();
        }
        trial.check();
      }),
      { numRuns: 25 },
    );
  });

  it('seeks the first entry that is not below', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(4000), { minLength: 1, maxLength: 1500, size: 'max' }),
        fc.nat(450),
        (slots, key) => {
          const trial = new Trial(null);
          for (const slot of slots) trial.toggle(slot % 400, slot);
          const sorted = trial.sorted();
          for (const slot of [-1, 2000, Infinity]) {
            const cursor = new TreeCursor(trial.tree);
            const end = new TreeCursor(trial.tree);
            end.toEnd();
            cursor.seek(key, slot);
            const place = sorted.findIndex((entry) => entry.key > key || (entry.key === key && entry.slot >= slot));
            if (place < 0) expect(cursor.equals(end)).toBe(true);
            else expect({ key: cursor.key, slot: cursor.slot }).toEqual(sorted[place]);
            expect(Math.abs(cursor.rank - (place < 0 ? sorted.length : place))).toBeLessThanOrEqual(sorted.length / 2);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('holds infinities at its ends', () => {
    const keys = [-Infinity, 0, Infinity];
    const trial = new Trial(null);
    for (let slot = 0; slot < 500; slot++) trial.toggle(keys[slot % 3]!, slot);
    trial.check();
    for (let slot = 0; slot < 500; slot += 2) trial.toggle(keys[slot % 3]!, slot);
    trial.check();
    expect(trial.tree.count).toBe(250);
  });

  it('fills its nodes with ascending keys, and gives back memory as entries go', () => {
    const tree = new EntryTree(null, false);
    const entries = 200 * NODE_ENTRIES;
    for (let slot = 0; slot < entries; slot++) tree.insert(slot, slot, 0);
    const full = tree.memoryBytes;
    expect(full).toBeLessThan(entries * 12 * 1.4);
    // What is left in a quarter of the leaves is put together, so that as many entries fit again without more memory.
    for (let slot = 0; slot < entries; slot++) if (slot % 10 !== 0) tree.remove(slot, slot);
    for (let slot = 0; slot < entries / 2; slot++) tree.insert(entries + slot, slot, 0);
    expect(tree.memoryBytes).toBe(full);
    for (let slot = 0; slot < entries; slot += 10) tree.remove(slot, slot);
    for (let slot = 0; slot < entries / 2; slot++) tree.remove(entries + slot, slot);
    expect([tree.count, tree.memoryBytes]).toEqual([0, 0]);
  });

  it('is small while it holds little', () => {
    const tree = new EntryTree(null, false);
    expect(tree.memoryBytes).toBe(0);
    tree.insert(1, 1, 0);
    expect(tree.memoryBytes).toBe(NODE_ENTRIES * 12);
  });
});
