import type { CellRecord, CompiledSchema, FieldValue, ScalarType, ScalarValue } from '@niobe/cells';

/** A value as JSON has it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[];

/**
 * A record for JSON: decimals and integers beyond 2^53 are text with all their digits, times are ISO 8601 in UTC, bytes are base64, a
 * number that is none (NaN, infinite) is text. O(record).
 */
export function recordJson(schema: CompiledSchema, record: CellRecord): Record<string, JsonValue> {
  const json: Record<string, JsonValue> = {};
  for (const { name, declaration } of schema.fields) json[name] = fieldJson(declaration.type, record[name] ?? null);
  return json;
}

function fieldJson(type: ScalarType, value: FieldValue): JsonValue {
  if (value === null) return null;
  return isList(value) ? value.map((item) => scalarJson(type, item)) : scalarJson(type, value);
}

function isList(value: ScalarValue | readonly ScalarValue[]): value is readonly ScalarValue[] {
  return Array.isArray(value);
}

function scalarJson(type: ScalarType, value: ScalarValue): JsonValue {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value !== 'number') return value;
  if (type === 'timestamp') return new Date(value).toISOString();
  return Number.isFinite(value) ? value : String(value);
}
