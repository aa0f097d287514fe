import { describe, expect, it } from '@jest/globals';
import { mix32 } from '@niobe/kernel';
import fc from 'fast-check';
import { KIND, writeHeader } from './entry.ts';
import { KeyIndex } from './key-index.ts';
import { SlotTable } from './slot-table.ts';

const SCHEMA = 5;

/** An index over cells that are nothing but a four-byte key. */
class Keys {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly slots = new SlotTable();
  readonly index: KeyIndex;
  readonly #key = new Uint8Array(4);

  constructor(room: number) {
    this.words = new Uint32Array(8 * (room + 1));
    this.bytes = new Uint8Array(this.words.buffer);
    this.index = new KeyIndex(this.bytes, this.words, this.slots);
  }

  add(key: number, hash: number): number {
    const slot = this.slots.take();
    const address = 8 * (slot + 1);
    writeHeader(this.words, address, KIND.cell, 0, SCHEMA, slot, 4, 0, 1, 0);
    this.words[address + 4] = key;
    this.slots.set(slot, address, SCHEMA);
    this.index.insert(hash, slot);
    return slot;
  }

  find(key: number, hash: number, schemaId = SCHEMA): number {
    new DataView(this.#key.buffer).setUint32(0, key, true);
    return this.index.find(hash, schemaId, this.#key, 0, 4);
  }
}

describe('the key index', () => {
  it('is a map, also where hashes collide', () => {
    const hashes = fc.constantFrom<(key: number) => number>(
      mix32,
      (key) => mix32(key & 7),
      (key) => mix32(key) & 0xffff0000,
      () => 7,
    );
    const steps = fc.array(fc.record({ key: fc.nat(300), remove: fc.boolean() }), { maxLength: 600, size: 'max' });
    fc.assert(
      fc.property(hashes, steps, (hash, sequence) => {
        const keys = new Keys(600);
        const model = new Map<number, number>();
        const wrong: number[] = [];
        const look = (key: number): void => {
          if (keys.find(key, hash(key)) !== (model.get(key) ?? -1)) wrong.push(key);
        };
        for (const { key, remove } of sequence) {
          look(key);
          const slot = model.get(key);
          if (slot === undefined) model.set(key, keys.add(key, hash(key)));
          else if (remove) {
            keys.index.remove(hash(key), slot);
            model.delete(key);
          }
        }
        for (let key = 0; key <= 300; key++) look(key);
        expect(wrong).toEqual([]);
        expect(keys.index.count).toBe(model.size);
      }),
      { numRuns: 60 },
    );
  });

  it('splits its sub-tables and still finds every key of one partition of 64', () => {
    const keys = new Keys(100_000);
    const hashes = Array.from({ length: 100_000 }, (_, key) => ((mix32(key) & ~63) | 9) >>> 0);
    for (const [key, hash] of hashes.entries()) keys.add(key, hash);
    const missed = hashes.filter((hash, key) => keys.find(key, hash) !== key);
    expect(missed).toEqual([]);
    expect(keys.index.memoryBytes).toBeLessThan(100_000 * 8 * 3);
    expect(keys.find(0, hashes[0]!, SCHEMA + 1)).toBe(-1);
  });
});
