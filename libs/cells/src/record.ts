import { NiobeError, type ByteWriter } from '@niobe/kernel';
import type { BodyBuilder } from './body-builder.ts';
import type { Field } from './field.ts';
import { fixedAt, isNullAt, variableEnd, variableStart, type Layout } from './layout.ts';
import { readList, writeList } from './list.ts';
import { renewedValue } from './renew.ts';
import { readScalar, variableBytes } from './scalar.ts';
import { TYPE } from './type-table.ts';
import { CELL_BYTES_MAX, type CellRecord, type FieldValue } from './types.ts';
import { violation, within } from './violation.ts';

/** Bodies as plain records: for applications and edges, not for hot paths. */

/** Writes `record` as one body through the builder of its layout; on any violation nothing stays written. */
export function encodeRecord(layout: Layout, builder: BodyBuilder, record: unknown, out: ByteWriter): void {
  const start = out.length;
  builder.begin(out);
  try {
    if (!isRecord(record))
      throw new NiobeError('SCHEMA_VIOLATION', 'an object with the fields of the record is needed');
    refuseUnknown(layout, record);
    for (const field of layout.placed) {
      const value = Object.hasOwn(record, field.name) ? record[field.name] : undefined;
      if (value !== undefined) encodeField(field, value, builder, out);
      if (out.length - start > CELL_BYTES_MAX) throw tooLarge(field.name);
    }
    builder.end();
  } catch (error) {
    builder.abandon();
    throw error;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function refuseUnknown(layout: Layout, record: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(record)) {
    if (!layout.fields.some((field) => field.name === name))
      throw violation(name.slice(0, 64), 'no such field is declared');
  }
}

function tooLarge(path: string): NiobeError {
  return new NiobeError('TOO_LARGE', `${path}: with it the cell is larger than ${CELL_BYTES_MAX} bytes`, {
    path,
    maxBytes: CELL_BYTES_MAX,
  });
}

function encodeField(field: Field, value: unknown, builder: BodyBuilder, out: ByteWriter): void {
  if (value === null && (field.type !== TYPE.json || field.optional || field.array)) {
    if (!field.optional) throw violation(field.name, 'a required field is missing');
    builder.setNull(field.index);
  } else if (field.array) {
    encodeList(field, value, builder, out);
  } else if (field.record !== null) {
    encodeNested(field, field.record, value, builder, out);
    builder.endVariable(field.index);
  } else if (field.variable) {
    const raw = variableBytes(field, value);
    builder.setBytes(field.index, raw, 0, raw.length);
  } else {
    builder.setValue(field.index, value);
  }
}

function encodeList(field: Field, value: unknown, builder: BodyBuilder, out: ByteWriter): void {
  const start = out.length;
  writeList(field, value, out, (item) => encodeNested(field, field.record!, item, builder, out));
  if (field.variable) {
    builder.endVariable(field.index);
  } else {
    builder.setEncoded(field.index, out.buffer, start, out.length);
    out.truncate(start);
  }
}

function encodeNested(field: Field, record: Layout, value: unknown, builder: BodyBuilder, out: ByteWriter): void {
  try {
    encodeRecord(record, builder.nested(field.index), value, out);
  } catch (error) {
    throw within(error, field.name);
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
  if (bytes[at]! < layout.from) {
    const value = renewedValue(layout, field, bytes, at, length);
    return value === null ? null : decodeValue(field, value, 0, value.length);
  }
  if (isNullAt(field, bytes, at)) return null;
  if (!field.variable) {
    const valueAt = fixedAt(layout, field, bytes, at);
    return decodeValue(field, bytes, valueAt, valueAt + field.fixedBytes);
  }
  const start = variableStart(layout, field, bytes, at, length);
  const end = variableEnd(layout, field, bytes, at, length);
  return decodeValue(field, bytes, start, end);
}

function decodeValue(field: Field, bytes: Uint8Array, start: number, end: number): FieldValue {
  if (field.array) return readList(field, bytes, start, end, decodeRecord);
  if (field.record !== null) return decodeRecord(field.record, bytes, start, end - start);
  return readScalar(field, bytes, start, end);
}
