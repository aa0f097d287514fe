import { describe, expect, it } from '@jest/globals';
import { compileSchema } from '@niobe/cells';
import { ByteWriter } from '@niobe/kernel';
import fc from 'fast-check';
import { IdCache } from './id-cache.ts';
import { VertexIds } from './vertex-ids.ts';

const PARTITIONS = 8;
const IDS_MAX = 16;
const user = compileSchema(16, 1, { name: 'user', key: 'text', fields: {} });
const page = compileSchema(17, 1, { name: 'page', key: 'integer', fields: {} });

/** The rows of one run that names these keys. */
function rowOf(vertices: VertexIds, key: string | number): number {
  const out = new ByteWriter(512);
  vertices.keys.schema.encodeKey(key, out);
  return vertices.row(out.buffer, 0, out.length);
}

describe('IdCache', () => {
  it('knows nothing wrong, whatever it forgets, and never more than its bound', () => {
    const command = fc.tuple(fc.constantFrom(user, page), fc.nat(40), fc.boolean());
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const cache = new IdCache(PARTITIONS, IDS_MAX);
        const ids = new Map<string, number>();
        for (const [schema, number, remembers] of commands) {
          const vertices = new VertexIds(schema, PARTITIONS, 4096);
          const key = schema === user ? `u${number}` : number;
          const row = rowOf(vertices, key);
          cache.fill(vertices, row);
          if (vertices.isKnown(row)) expect(vertices.id(row)).toBe(ids.get(`${schema.name} ${key}`));
          if (!remembers) continue;
          vertices.set(row, 2 ** 45 + ids.size);
          cache.remember(vertices, row);
          ids.set(`${schema.name} ${key}`, vertices.id(row));
          const again = new VertexIds(schema, PARTITIONS, 4096);
          cache.fill(again, rowOf(again, key));
          expect(again.isKnown(0)).toBe(true);
          expect(cache.size).toBeLessThanOrEqual(2 * IDS_MAX);
        }
      }),
    );
  });
});

describe('VertexIds', () => {
  it('numbers distinct keys in their order, over growth and after clearing', () => {
    const vertices = new VertexIds(user, PARTITIONS, 1 << 20);
    for (let round = 0; round < 2; round++) {
      const keys = Array.from({ length: 3000 }, (_, i) => `user ${i % 1500}`);
      const rows = keys.map((key) => rowOf(vertices, key));
      expect(rows).toEqual(keys.map((_, i) => i % 1500));
      expect(rows.some((row) => vertices.isKnown(row))).toBe(false);
      vertices.set(7, 2 ** 52 - 1);
      expect(vertices.id(7)).toBe(2 ** 52 - 1);
      vertices.clear();
    }
  });
});
