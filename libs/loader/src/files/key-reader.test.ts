import { describe, expect, it } from '@jest/globals';
import { compileSchema } from '@niobe/cells';
import fc from 'fast-check';
import { VertexIds } from '../keys/vertex-ids.ts';
import { IntegerKeys } from './integer-keys.ts';
import { NO_KEY } from './key-reader.ts';
import { TextKeys } from './text-keys.ts';

const PARTITIONS = 8;
const KEY_BYTES_MAX = 1_000_000;
const encoder = new TextEncoder();

function integers(): { keys: IntegerKeys; ids: VertexIds } {
  const ids = new VertexIds(
    compileSchema(20, 1, { name: 'page', key: 'integer', fields: {} }),
    PARTITIONS,
    KEY_BYTES_MAX,
  );
  return { keys: new IntegerKeys(ids), ids };
}

function row(keys: IntegerKeys | TextKeys, text: string): number {
  const bytes = encoder.encode(`7${text}7`);
  return keys.row(bytes, 1, bytes.length - 1);
}

describe('integer keys', () => {
  it('have a row each, with the key as cells have it', () => {
    const number = fc.oneof(fc.integer({ min: -2000, max: 2000 }), fc.maxSafeInteger());
    fc.assert(
      fc.property(fc.array(number, { maxLength: 3_000, size: 'max' }), (values) => {
        const { keys, ids } = integers();
        const rowOf = new Map<number, number>();
        for (const value of values) {
          const expected = rowOf.get(value) ?? rowOf.size;
          rowOf.set(value, expected);
          expect(row(keys, String(value))).toBe(expected);
        }
        for (const [value, at] of rowOf)
          expect(ids.keys.schema.decodeKey(ids.keys.bytes, ids.keys.keyStart(at), 8)).toBe(value);
      }),
      { numRuns: 20 },
    );
  });

  it('are decimal and safe', () => {
    const { keys } = integers();
    for (const text of ['', '-', '1.5', '1e3', '+1', ' 1', 'x', '9007199254740992'])
      expect([text, row(keys, text)]).toEqual([text, NO_KEY]);
    expect(row(keys, '9007199254740991')).toBe(0);
    expect(row(keys, '-9007199254740991')).toBe(1);
    expect(row(keys, '007')).toBe(row(keys, '7'));
    expect(row(keys, '-0')).toBe(row(keys, '0'));
  });
});

describe('text keys', () => {
  it('are UTF-8 of 1 to 512 bytes', () => {
    const ids = new VertexIds(
      compileSchema(21, 1, { name: 'user', key: 'text', fields: {} }),
      PARTITIONS,
      KEY_BYTES_MAX,
    );
    const keys = new TextKeys(ids);
    expect([row(keys, 'ü'), row(keys, 'u'), row(keys, 'ü')]).toEqual([0, 1, 0]);
    expect(row(keys, '')).toBe(NO_KEY);
    expect(row(keys, 'x'.repeat(513))).toBe(NO_KEY);
    expect(keys.row(Uint8Array.of(0xff), 0, 1)).toBe(NO_KEY);
    expect(ids.keys.rows).toBe(2);
  });
});
