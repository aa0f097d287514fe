import { describe, expect, it } from '@jest/globals';
import { ByteWriter, isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { cellIdOf } from './cell-id.ts';
import { compileSchema, type CompiledSchema } from './schema.ts';
import { CELL_ID_LIMIT, type KeyType } from './types.ts';

const schemaOf = (key: KeyType, name = 's'): CompiledSchema =>
  compileSchema(16, 1, { name, key, fields: { a: { type: 'i32' } } });

function bytesOf(schema: CompiledSchema, key: string | number): Uint8Array {
  const out = new ByteWriter(1024);
  schema.encodeKey(key, out);
  return out.finish();
}

/** Bytes that often are one or two ids. */
const idLike = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 6, maxLength: 6 }), fc.nat(31)), { minLength: 1, maxLength: 2 })
  .map((ids) => Uint8Array.from(ids.flatMap(([low, high]) => [...low, high, 0])));
const cellId = fc.maxSafeNat().map((n) => n % CELL_ID_LIMIT);
const keyBy: Readonly<Record<Exclude<KeyType, 'none'>, fc.Arbitrary<string | number>>> = {
  text: fc.string({ unit: 'binary', maxLength: 100 }),
  integer: fc.maxSafeInteger(),
  id: cellId,
  pair: fc.tuple(cellId, cellId).map(([from, to]) => `${from}:${to}`),
};
const typed = fc.oneof(
  ...Object.entries(keyBy).map(([keyType, keys]) => keys.map((key) => ({ keyType: keyType as KeyType, key }))),
);

describe('keys', () => {
  it('of every type come back', () => {
    fc.assert(
      fc.property(typed, ({ keyType, key }) => {
        const schema = schemaOf(keyType);
        const bytes = bytesOf(schema, key);
        schema.checkKey(bytes, 0, bytes.length);
        expect(schema.decodeKey(bytes, 0, bytes.length)).toBe(key === 0 ? 0 : key);
      }),
    );
  });

  it.each<[KeyType, string | number]>([
    ['text', 1],
    ['text', 'x'.repeat(513)],
    ['text', 'a\ud800'],
    ['integer', '1'],
    ['integer', 1.5],
    ['integer', 2 ** 53],
    ['none', 'a'],
    ['id', -1],
    ['id', 2 ** 52],
    ['id', 1.5],
    ['id', '1'],
    ['pair', 1],
    ['pair', '1'],
    ['pair', '1:2:3'],
    ['pair', '01:2'],
    ['pair', '1:-2'],
    ['pair', `1:${2 ** 52}`],
  ])('of type %s refuse %p', (keyType, key) => {
    expect(() => bytesOf(schemaOf(keyType), key)).toThrow(
      expect.objectContaining({ code: 'SCHEMA_VIOLATION', details: { path: 'key' } }),
    );
  });

  it('in random bytes are refused with a code, or they can be read', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<KeyType>('text', 'integer', 'none', 'id', 'pair'),
        fc.oneof(fc.uint8Array({ maxLength: 17 }), idLike),
        (keyType, bytes) => {
          const schema = schemaOf(keyType);
          try {
            schema.checkKey(bytes, 0, bytes.length);
          } catch (error) {
            if (!isNiobeError(error)) throw error;
            return;
          }
          expect(bytesOf(schema, schema.decodeKey(bytes, 0, bytes.length))).toEqual(bytes);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('hash by schema and type, so that equal bytes do not meet', () => {
    const bytes = new Uint8Array(8);
    const schemas = [schemaOf('text'), schemaOf('integer'), schemaOf('id'), schemaOf('pair'), schemaOf('text', 't')];
    const hashes = schemas.map((schema) => schema.hashKey(bytes, 0, 8));
    expect(new Set(hashes).size).toBe(5);
  });

  it('spread sequential integers and multiples of 256 over partitions', () => {
    const schema = schemaOf('integer');
    for (const step of [1, 256]) {
      const counts = new Uint32Array(64);
      for (let i = 0; i < 64_000; i++) {
        const bytes = bytesOf(schema, i * step);
        const partition = schema.partitionOfKey(bytes, 0, 8, 64);
        counts[partition] = counts[partition]! + 1;
      }
      expect(Math.min(...counts)).toBeGreaterThan(850);
      expect(Math.max(...counts)).toBeLessThan(1150);
    }
  });

  it('made of ids lead to the partition of the first', () => {
    fc.assert(
      fc.property(fc.nat(63), fc.nat(255), fc.nat(), cellId, (partition, generation, slot, to) => {
        const from = cellIdOf(partition, generation, slot);
        for (const [keyType, key] of [
          ['id', from],
          ['pair', `${from}:${to}`],
        ] as const) {
          const bytes = Uint8Array.of(1, 2, 3, ...bytesOf(schemaOf(keyType), key));
          expect(schemaOf(keyType).partitionOfKey(bytes, 3, bytes.length - 3, 64)).toBe(partition);
        }
      }),
    );
  });

  it('of ids refuse a partition that does not exist, and bytes that are no ids', () => {
    const schema = schemaOf('id');
    const refused = (bytes: Uint8Array, partitions: number): unknown =>
      schema.partitionOfKey(bytes, 0, bytes.length, partitions);
    const far = bytesOf(schema, cellIdOf(64, 0, 1));
    expect(refused(far, 128)).toBe(64);
    expect(() => refused(far, 64)).toThrow(expect.objectContaining({ code: 'SCHEMA_VIOLATION' }));
    expect(() => refused(new Uint8Array(7), 64)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    expect(() => refused(new Uint8Array(8).fill(255), 64)).toThrow(
      expect.objectContaining({ code: 'SCHEMA_VIOLATION' }),
    );
  });
});
