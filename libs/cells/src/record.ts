import type { ByteWriter } from '@niobe/kernel';
import type { BodyBuilder } from './body-builder.ts';
import { fixedAt, isNullAt, variableEnd, variableStart, type Field, type Layout } from './layout.ts';
import { readScalar, variableBytes, writeFixed } from './scalar.ts';
import type { CellRecord, FieldValue, ScalarValue } from './types.ts';
import { violation } from './violation.ts';
import { u32At } from './words.ts';

/** Bodies as plain records: for applications and edges, not for hot paths. */

/** Writes `record` as one body through the builder of its schema; on any violation nothing stays written. */
export function encodeRecord(
  layout: Layout,
  builder: BodyBuilder,
  record: Readonly<CellRecord>,
  out: ByteWriter,
): void {
  builder.begin(out);
  try {
    refuseUnknown(layout, record);
    const scratch = new Uint8Array(16);
    for (const field of layout.fields) {
      const value = Object.hasOwn(record, field.name) ? record[field.name] : null;
      if (value !== null && value !== undefined) encodeField(field, value, builder, out, scratch);
    }
    builder.end();
  } catch (error) {
    builder.abandon();
    throw error;
  }
}

function refuseUnknown(layout: Layout, record: Readonly<CellRecord>): void {
  for (const name of Object.keys(record)) {
    if (!layout.fields.some((field) => field.name === name))
      throw violation(name.slice(0, 64), 'no such field is declared');
  }
}

function encodeField(
  field: Field,
  value: FieldValue,
  builder: BodyBuilder,
  out: ByteWriter,
  scratch: Uint8Array,
): void {
  if (field.array) {
    encodeArray(field, value, out, scratch);
    builder.endVariable(field.index);
  } else if (field.variable) {
    const raw = variableBytes(field, value);
    builder.setBytes(field.index, raw, 0, raw.length);
  } else {
    builder.setValue(field.index, value);
  }
}

function encodeArray(field: Field, value: FieldValue, out: ByteWriter, scratch: Uint8Array): void {
  if (!Array.isArray(value)) throw violation(field.name, `not an array of ${field.declaration.type}`);
  if (value.length > field.maxItems) {
    throw violation(field.name, `${value.length} items exceed the ${field.maxItems} declared as maxItems`);
  }
  for (const item of value as readonly unknown[]) {
    if (field.bytes === 0) {
      out.block(variableBytes(field, item));
    } else {
      writeFixed(field, scratch, 0, item);
      out.raw(scratch.subarray(0, field.bytes));
    }
  }
}

/** The record of a checked body. */
export function decodeRecord(layout: Layout, bytes: Uint8Array, at: number, length: number): CellRecord {
  const record: CellRecord = {};
  for (const field of layout.fields) record[field.name] = decodeField(layout, field, bytes, at, length);
  return record;
}

/** One field's value of a checked body. */
export function decodeField(layout: Layout, field: Field, bytes: Uint8Array, at: number, length: number): FieldValue {
  if (isNullAt(field, bytes, at)) return null;
  if (!field.variable) {
    const valueAt = fixedAt(layout, field, bytes, at);
    return readScalar(field, bytes, valueAt, valueAt + field.bytes);
  }
  const start = variableStart(layout, field, bytes, at, length);
  const end = variableEnd(layout, field, bytes, at, length);
  return field.array ? decodeArray(field, bytes, start, end) : readScalar(field, bytes, start, end);
}

function decodeArray(field: Field, bytes: Uint8Array, start: number, end: number): ScalarValue[] {
  const items: ScalarValue[] = [];
  for (let at = start; at < end;) {
    const itemAt = field.bytes === 0 ? at + 4 : at;
    const itemEnd = itemAt + (field.bytes === 0 ? u32At(bytes, at) : field.bytes);
    items.push(readScalar(field, bytes, itemAt, itemEnd));
    at = itemEnd;
  }
  return items;
}
