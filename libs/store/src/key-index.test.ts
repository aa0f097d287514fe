import { describe, expect, it } from '@jest/globals';
import { compileSchema, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, mix32 } from '@niobe/kernel';
import fc from 'fast-check';
import { KeyIndex, type KeysOfSlots } from './key-index.ts';
import { PagePool } from './page-pool.ts';

const SCHEMA = 5;
const PAGES = 1024;

/** An index over slots that have numbers as keys, of four bytes. */
class NumberKeys implements KeysOfSlots {
  readonly pool = new PagePool(PAGES);
  readonly index: KeyIndex = new KeyIndex(this, this.pool);
  readonly hash: (key: number) => number;
  readonly #keyOf = new Map<number, number>();
  readonly #key = new Uint8Array(4);
  readonly #view = new DataView(this.#key.buffer);
  hashedAnew = 0;

  constructor(hash: (key: number) => number) {
    this.hash = hash;
  }

  addressIfAt(slot: number, schemaId: number, bytes: Uint8Array, keyAt: number): number {
    const key = new DataView(bytes.buffer).getUint32(keyAt, true);
    return schemaId === SCHEMA && this.#keyOf.get(slot) === key ? slot + 1 : 0;
  }

  areSame(slot: number, other: number): boolean {
    return this.#keyOf.get(slot) === this.#keyOf.get(other);
  }

  hashOf(slot: number): number {
    this.hashedAnew += 1;
    return this.hash(this.#keyOf.get(slot)!);
  }

  add(key: number, slot: number): void {
    this.#keyOf.set(slot, key);
    this.index.insert(this.hash(key), slot);
  }

  remove(key: number, slot: number): void {
    this.index.remove(this.hash(key), slot);
    this.#keyOf.delete(slot);
  }

  find(key: number, schemaId = SCHEMA): number {
    this.#view.setUint32(0, key, true);
    return this.index.find(this.hash(key), schemaId, this.#key, 0, 4);
  }

  /** Adds keys from 0 on, key n in slot `slotOf(n)`, and returns those that are then not found there. */
  fill(count: number, slotOf: (key: number) => number): number[] {
    for (let key = 0; key < count; key++) this.add(key, slotOf(key));
    return this.lost(count, slotOf);
  }

  lost(count: number, slotOf: (key: number) => number): number[] {
    return Array.from({ length: count }, (_, key) => key).filter((key) => this.find(key) !== slotOf(key));
  }
}

const plain = (key: number): number => key;

describe('the key index', () => {
  it('is a map, also where hashes collide and slots are far apart', () => {
    const hashes = fc.constantFrom<(key: number) => number>(
      mix32,
      (key) => mix32(key & 0xfff0),
      (key) => mix32(key) & 0xffff0000,
      (key) => (key < 40 ? 7 : mix32(key)),
    );
    const spread = fc.constantFrom(1, 1000, 500_000);
    const step = fc.record({ first: fc.nat(1500), count: fc.nat(700), remove: fc.boolean() });
    const steps = fc.array(step, { maxLength: 12, size: 'max' });
    fc.assert(
      fc.property(hashes, spread, steps, (hash, slotsApart, sequence) => {
        const keys = new NumberKeys(hash);
        const model = new Map<number, number>();
        let nextSlot = 0;
        for (const { first, count, remove } of sequence) {
          for (let key = first; key < first + count; key++) {
            const slot = model.get(key);
            if (slot === undefined && !remove) {
              model.set(key, nextSlot);
              keys.add(key, nextSlot);
              nextSlot += slotsApart;
            } else if (slot !== undefined && remove) {
              keys.remove(key, slot);
              model.delete(key);
            }
          }
        }
        const wrong = Array.from({ length: 2300 }, (_, key) => key).filter(
          (key) => keys.find(key) !== (model.get(key) ?? -1),
        );
        expect(wrong).toEqual([]);
        expect(keys.index.count).toBe(model.size);
      }),
      { numRuns: 40 },
    );
  });

  it('grows and splits with hashes it puts together itself, at 5 to 6.5 bytes a key', () => {
    const keys = new NumberKeys(mix32);
    expect(keys.fill(200_000, plain)).toEqual([]);
    expect(keys.find(0, SCHEMA + 1)).toBe(-1);
    expect(keys.find(200_000)).toBe(-1);
    // Each key moves five times, and its hash is not known after it came from further than the chunk before.
    expect(keys.hashedAnew).toBeLessThan(200_000 * 0.3);
    expect(keys.index.memoryBytes / 200_000).toBeGreaterThan(4.5);
    expect(keys.index.memoryBytes / 200_000).toBeLessThan(6.5);
    expect(keys.pool.takenPages * 4096).toBeLessThanOrEqual(keys.index.memoryBytes);
  });

  it('gives the places of removed keys to others, and still grows', () => {
    const keys = new NumberKeys(mix32);
    keys.fill(60_000, plain);
    for (let key = 0; key < 60_000; key += 3) keys.remove(key, key);
    for (let key = 60_000; key < 140_000; key++) keys.add(key, key);
    expect(keys.lost(140_000, (key) => (key < 60_000 && key % 3 === 0 ? -1 : key))).toEqual([]);
    expect(keys.index.count).toBe(120_000);
  });

  it('hashes anew where slots leave no room for hashes', () => {
    const far = (key: number): number => key * 5000 + 1;
    const keys = new NumberKeys(mix32);
    expect(keys.fill(100_000, far)).toEqual([]);
    expect(keys.hashedAnew).toBeGreaterThan(100_000);
    for (let key = 0; key < 100_000; key += 2) keys.remove(key, far(key));
    expect(keys.lost(100_000, (key) => (key % 2 === 0 ? -1 : far(key)))).toEqual([]);
  });

  it('holds all keys of one partition of 64', () => {
    const keys = new NumberKeys((key) => ((mix32(key) & ~63) | 9) >>> 0);
    expect(keys.fill(100_000, plain)).toEqual([]);
    expect(spreadOfTables(keys.index)).toBeLessThan(CHI_SQUARE_BOUND);
  });

  it('refuses a key before anything changes where too many share nearly all of their hash', () => {
    const keys = new NumberKeys(() => 0x1234_5678);
    const most = 15_360;
    for (let key = 0; key < most; key++) keys.add(key, key);
    expect(() => keys.add(most, most)).toThrow(expect.objectContaining({ code: 'STORE_FULL' }));
    expect(keys.index.count).toBe(most);
    expect([keys.find(0), keys.find(most - 1), keys.find(most)]).toEqual([0, most - 1, -1]);
    keys.remove(0, 0);
    keys.add(most, most);
    expect(keys.find(most)).toBe(most);
  });

  it('refuses a key where the pool has no page', () => {
    const keys = new NumberKeys(mix32);
    while (keys.pool.takenPages < keys.pool.pages - 1) keys.pool.take(0);
    const most = 836;
    for (let key = 0; key < most; key++) keys.add(key, key);
    expect(() => keys.add(most, most)).toThrow(expect.objectContaining({ code: 'STORE_FULL' }));
    expect(keys.lost(most, plain)).toEqual([]);
  });

  it('gives back every page', () => {
    const keys = new NumberKeys(mix32);
    keys.fill(30_000, plain);
    keys.index.close();
    expect(keys.pool.takenPages).toBe(0);
  });
});

/**
 * Chi-square of counts that should be equal, a degree of freedom: near 1 with a deviation of sqrt(2 / degrees); 2 is beyond 8 deviations
 * for 128 degrees.
 */
function chiSquare(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0) / (counts.length - 1);
}

const CHI_SQUARE_BOUND = 2;

/** Chi-square of the keys of the tables, those that are split once more counted as one. */
function spreadOfTables(index: KeyIndex): number {
  const loads = index.tableLoads();
  const depth = Math.min(...loads.map(({ sharedBits }) => sharedBits));
  const counts = Array.from({ length: 2 ** depth }, () => 0);
  for (const { keys, firstHash } of loads) counts[Math.floor(firstHash * 2 ** depth)]! += keys;
  return chiSquare(counts);
}

const SAMPLES: Readonly<Record<string, { schema: CompiledSchema; key: (n: number) => string | number }>> = {
  'sequential integers': { schema: schemaOf('integer'), key: (n) => n },
  'multiples of 256': { schema: schemaOf('integer'), key: (n) => n * 256 },
  'multiples of 2^20': { schema: schemaOf('integer'), key: (n) => n * 2 ** 20 },
  UUIDs: { schema: schemaOf('text'), key: uuid },
  'texts of a long common prefix': { schema: schemaOf('text'), key: (n) => `${'prefix/'.repeat(12)}${n}` },
};

function schemaOf(key: 'integer' | 'text'): CompiledSchema {
  return compileSchema(1, 1, { name: 'sample', key, fields: {} });
}

function uuid(n: number): string {
  const digits = [n, n + 1, n + 2, n + 3].map((word) => mix32(word).toString(16).padStart(8, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

describe('hashes of keys', () => {
  const KEYS = 80_000;
  const PARTITIONS = 64;

  it.each(Object.entries(SAMPLES))('spread over partitions and tables: %s', (_, { schema, key }) => {
    const hashes = Uint32Array.from({ length: KEYS }, (__, n) => hashOf(schema, key(n)));
    const partitions = Array.from({ length: PARTITIONS }, () => 0);
    for (const hash of hashes) partitions[hash % PARTITIONS]! += 1;
    const keys = new NumberKeys((n) => hashes[n]!);
    for (let n = 0; n < KEYS; n++) keys.add(n, n);
    expect(chiSquare(partitions)).toBeLessThan(CHI_SQUARE_BOUND);
    expect(spreadOfTables(keys.index)).toBeLessThan(CHI_SQUARE_BOUND * 2);
  });
});

const writer = new ByteWriter(1024);

function hashOf(schema: CompiledSchema, key: string | number): number {
  writer.reset();
  schema.encodeKey(key, writer);
  return schema.hashKey(writer.buffer, 0, writer.length);
}
