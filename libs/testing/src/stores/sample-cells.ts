import { compileSchema, SchemaTable, type CellRecord, type CompiledSchema } from '@niobe/cells';
import { crc32 } from '@niobe/kernel';

/** Cells that the store's proofs write: with text keys and every merge operator, with integer keys, and without keys. */

const BLOB_BYTES_MAX = 1024 * 1024;

/** Text keys, every merge operator, and a blob to give cells a size. */
export const KEYED_SCHEMA: CompiledSchema = compileSchema(16, 1, {
  name: 'items',
  key: 'text',
  fields: {
    label: { type: 'text', merge: 'keep' },
    count: { type: 'u64', merge: 'add' },
    high: { type: 'i64', optional: true, merge: 'max' },
    blob: { type: 'bytes', optional: true, maxBytes: BLOB_BYTES_MAX },
  },
});

/** Integer keys. */
const NUMBERED_SCHEMA: CompiledSchema = compileSchema(17, 1, {
  name: 'numbers',
  key: 'integer',
  fields: { value: { type: 'i32', merge: 'add' } },
});

/** Records as {@link KEYED_SCHEMA} has them, without keys. */
export const KEYLESS_SCHEMA: CompiledSchema = compileSchema(18, 1, {
  ...KEYED_SCHEMA.declaration,
  name: 'loose',
  key: 'none',
});

/** A table of these schemas. */
export function sampleSchemas(): SchemaTable {
  const schemas = new SchemaTable();
  for (const schema of [KEYED_SCHEMA, NUMBERED_SCHEMA, KEYLESS_SCHEMA]) schemas.add(schema);
  return schemas;
}

/** A record of {@link KEYED_SCHEMA} whose cell has about `bytes` bytes. */
export function sampleRecord(label: string, count: number, bytes: number = 0): CellRecord {
  return { label, count, high: null, blob: bytes === 0 ? null : new Uint8Array(bytes).fill(count & 0xff) };
}

/** What two such records are merged to. */
export function mergedRecord(old: CellRecord, delta: CellRecord): CellRecord {
  const high =
    old['high'] === null
      ? delta['high']!
      : Math.max(old['high'] as number, (delta['high'] as number | null) ?? -Infinity);
  return {
    label: old['label']!,
    count: (old['count'] as number) + (delta['count'] as number),
    high,
    blob: delta['blob']!,
  };
}

/** A record in a text that is equal where records are; its blob is told by length and checksum. */
export function shapeOf(record: CellRecord | null): string {
  const blob = record?.['blob'];
  const plain = blob instanceof Uint8Array ? { ...record, blob: `${blob.length} bytes ${crc32(blob)}` } : record;
  return JSON.stringify(plain);
}
