import { ByteWriter, isNiobeError } from '@niobe/kernel';
import type { Bounds } from './bounds.ts';
import type { FieldFacts } from './field.ts';
import { writeList } from './list.ts';
import { isInteger } from './numbers.ts';
import { variableBytes, writeFixed } from './scalar.ts';
import { TYPE } from './type-table.ts';
import { CELL_BYTES_MAX } from './types.ts';
import { violation } from './violation.ts';

/** Values that stand in a declaration, from JSON to the field's encoding. */

const INTEGER = /^-?\d{1,39}$/;
/** Integers that are not written as such. */
const IN_OTHER_WORDS: readonly number[] = [TYPE.date, TYPE.char, TYPE.decimal];

/**
 * The declared `min` and `max`; null where there is neither. A form that the field had before was narrower, so of its bounds those are
 * left out that it cannot pass. Throws `SCHEMA_VIOLATION`.
 */
export function readBounds(field: FieldFacts, isPresent: boolean): Bounds | null {
  const { min, max } = field.declaration;
  if (min === undefined && max === undefined) return null;
  const read = isPresent ? encodeBound : narrowBound;
  return { least: read(field, min, Math.ceil), most: read(field, max, Math.floor) };
}

type Bound = number | string | undefined;

function encodeBound(field: FieldFacts, bound: Bound): Uint8Array | null {
  if (bound === undefined) return null;
  const bytes = new Uint8Array(field.bytes);
  writeFixed(field, bytes, 0, fromJson(field, bound));
  return bytes;
}

function narrowBound(field: FieldFacts, bound: Bound, inward: (bound: number) => number): Uint8Array | null {
  try {
    return encodeBound(field, typeof bound === 'number' && isPlainInteger(field.type) ? inward(bound) : bound);
  } catch (error) {
    if (isNiobeError(error)) return null;
    throw error;
  }
}

/** The declared default, or null where there is none. Throws `SCHEMA_VIOLATION`. */
export function encodeDefault(field: FieldFacts): Uint8Array | null {
  const { default: given } = field.declaration;
  if (given === undefined) return null;
  if (field.array) return encodeItems(field, given);
  if (field.variable) return variableBytes(field, fromJson(field, given));
  const bytes = new Uint8Array(field.bytes);
  writeFixed(field, bytes, 0, fromJson(field, given));
  return bytes;
}

function encodeItems(field: FieldFacts, given: unknown): Uint8Array {
  const out = new ByteWriter(CELL_BYTES_MAX);
  const items = Array.isArray(given) ? given.map((item: unknown) => fromJson(field, item)) : given;
  writeList(field, items, out, () => {
    throw violation(field.name, 'records have the defaults of their fields');
  });
  return out.finish();
}

/** The application value that JSON stands for: bytes are base64, integers beyond 2^53 text. */
function fromJson(field: FieldFacts, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (field.type === TYPE.bytes) return bytesOf(field, value);
  return isPlainInteger(field.type) && INTEGER.test(value) ? BigInt(value) : value;
}

function bytesOf(field: FieldFacts, base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw violation(field.name, 'bytes are given in base64');
  return Uint8Array.from(bytes);
}

function isPlainInteger(type: number): boolean {
  return isInteger(type) && !IN_OTHER_WORDS.includes(type);
}
