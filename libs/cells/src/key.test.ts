import { describe, expect, it } from '@jest/globals';
import { ByteWriter, isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { compileSchema, type CompiledSchema } from './schema.ts';
import type { KeyType } from './types.ts';

const schemaOf = (key: KeyType, name = 's'): CompiledSchema =>
  compileSchema(16, 1, { name, key, fields: { a: { type: 'i32' } } });

function bytesOf(schema: CompiledSchema, key: string | number): Uint8Array {
  const out = new ByteWriter(1024);
  schema.encodeKey(key, out);
  return out.finish();
}

describe('keys', () => {
  it('of either type come back', () => {
    const keys = fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'binary', maxLength: 100 }));
    fc.assert(
      fc.property(keys, (key) => {
        const schema = schemaOf(typeof key === 'number' ? 'integer' : 'text');
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
  ])('of type %s refuse %p', (keyType, key) => {
    expect(() => bytesOf(schemaOf(keyType), key)).toThrow(
      expect.objectContaining({ code: 'SCHEMA_VIOLATION', details: { path: 'key' } }),
    );
  });

  it('in random bytes are refused with a code, or they can be read', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<KeyType>('text', 'integer', 'none'),
        fc.uint8Array({ maxLength: 9 }),
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
    const hashes = [schemaOf('text'), schemaOf('integer'), schemaOf('text', 't')].map((schema) =>
      schema.hashKey(bytes, 0, 8),
    );
    expect(new Set(hashes).size).toBe(3);
  });

  it('spread sequential integers and multiples of 256 over partitions', () => {
    const schema = schemaOf('integer');
    for (const step of [1, 256]) {
      const counts = new Uint32Array(64);
      for (let i = 0; i < 64_000; i++) {
        const bytes = bytesOf(schema, i * step);
        const partition = schema.hashKey(bytes, 0, 8) & 63;
        counts[partition] = counts[partition]! + 1;
      }
      expect(Math.min(...counts)).toBeGreaterThan(850);
      expect(Math.max(...counts)).toBeLessThan(1150);
    }
  });
});
