import type { CellRecord, CompiledSchema, Field, FieldType, FieldValue } from '@niobe/cells';

/** A value as JSON has it. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/**
 * A record for JSON: decimals and integers beyond 2^53 are text with all their digits, times are ISO 8601 in UTC, bytes are base64, a
 * number that is none (NaN, infinite) is text. O(record).
 */
export function recordJson(schema: CompiledSchema, record: CellRecord): Record<string, JsonValue> {
  return fieldsJson(schema.fields, record);
}

function fieldsJson(fields: readonly Field[], record: CellRecord): Record<string, JsonValue> {
  const json: Record<string, JsonValue> = {};
  for (const field of fields) json[field.name] = fieldJson(field, record[field.name] ?? null);
  return json;
}

function fieldJson(field: Field, value: FieldValue): JsonValue {
  return field.array && Array.isArray(value)
    ? value.map((item: FieldValue) => valueJson(field, item))
    : valueJson(field, value);
}

function valueJson(field: Field, value: FieldValue): JsonValue {
  if (field.declaration.type === 'json') return value as JsonValue;
  if (field.record !== null && value !== null) return fieldsJson(field.record.fields, value as CellRecord);
  return scalarJson(field.declaration.type, value);
}

function scalarJson(type: FieldType, value: FieldValue): JsonValue {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((coordinate: FieldValue) => scalarJson(type, coordinate));
  if (typeof value !== 'number') return value as JsonValue;
  if (type === 'timestamp') return new Date(value).toISOString();
  return Number.isFinite(value) ? value : String(value);
}
