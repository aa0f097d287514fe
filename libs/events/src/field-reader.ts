import { ARRAY_ITEMS_DEFAULT, parseDecimal, TEXT_BYTES_DEFAULT } from '@niobe/cells';
import { isNiobeError, NiobeError } from '@niobe/kernel';
import type { EventFieldDeclaration } from './event-declaration.ts';
import { FIRST_TIME_MS, LAST_TIME_MS, parseTime } from './event-time.ts';

/**
 * Compiled checks of one field each: a parsed JSON value goes in, the typed value comes out, or `SCHEMA_VIOLATION` with the path. They
 * run once per field of every event, at the collector and again at each consumer, so they allocate nothing for what is valid.
 */

/** A typed value: integers as number when safe, else bigint; decimals scaled by 10^scale; timestamps as Unix ms; an enum as its name. */
export type EventScalar = boolean | number | bigint | string | Uint8Array;

/** What a field of an event holds; absent is null. */
export type EventValue = EventScalar | null | readonly EventScalar[];

/** Checks `value`, which is neither undefined nor null; `path` names it in an error. */
export type FieldReader = (value: unknown, path: string) => EventValue;

type ScalarReader = (value: unknown, path: string) => EventScalar;

/** The reader of a declared field. */
export function compileFieldReader(field: EventFieldDeclaration): FieldReader {
  const reader = compileScalar(field);
  return field.array === true ? arrayReader(reader, field.maxItems ?? ARRAY_ITEMS_DEFAULT) : reader;
}

function arrayReader(reader: ScalarReader, maxItems: number): FieldReader {
  return (value, path) => {
    if (!Array.isArray(value)) throw violation(path, 'expected an array');
    if (value.length > maxItems) throw violation(path, `${value.length} items are more than ${maxItems}`);
    const items: EventScalar[] = [];
    for (let i = 0; i < value.length; i++) items.push(readItem(reader, value[i], path, i));
    return items;
  };
}

function readItem(reader: ScalarReader, item: unknown, path: string, index: number): EventScalar {
  try {
    return reader(item, path);
  } catch (error) {
    throw isNiobeError(error, 'SCHEMA_VIOLATION') ? violation(`${path}[${index}]`, error.details.why as string) : error;
  }
}

/** `path` is where in the input, `why` what was expected there; neither repeats what was sent. */
export function violation(path: string, why: string): NiobeError {
  return new NiobeError('SCHEMA_VIOLATION', `${path}: ${why}`, { path, why });
}

function compileScalar(field: EventFieldDeclaration): ScalarReader {
  switch (field.type) {
    case 'bool':
      return readBool;
    case 'i32':
      return rangeReader(-0x8000_0000, 0x7fff_ffff);
    case 'u32':
      return rangeReader(0, 0xffff_ffff);
    case 'i64':
      return longReader(-(2n ** 63n), 2n ** 63n - 1n);
    case 'u64':
      return longReader(0n, 2n ** 64n - 1n);
    case 'f64':
      return readFloat;
    case 'decimal':
      return decimalReader(field.scale ?? 0);
    case 'text':
      return textReader(field.maxBytes ?? TEXT_BYTES_DEFAULT);
    case 'bytes':
      return bytesReader(field.maxBytes ?? TEXT_BYTES_DEFAULT);
    case 'timestamp':
      return readTimestamp;
    case 'enum':
      return enumReader(field.values ?? []);
  }
}

function readBool(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw violation(path, 'expected true or false');
  return value;
}

function rangeReader(least: number, most: number): ScalarReader {
  return (value, path) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value + 0;
    throw violation(path, `expected an integer from ${least} to ${most}`);
  };
}

/** 64 bits do not fit a JSON number: integers that are not safe come as text of digits. */
function longReader(least: bigint, most: bigint): ScalarReader {
  const expected = `expected an integer from ${least} to ${most}; above 2^53 - 1 as text`;
  return (value, path) => {
    if (typeof value === 'number') {
      if (Number.isSafeInteger(value) && (value >= 0 || least < 0n)) return value + 0;
    } else if (typeof value === 'string' && /^-?(0|[1-9]\d{0,19})$/.test(value)) {
      const exact = BigInt(value);
      if (exact >= least && exact <= most) return narrow(exact);
    }
    throw violation(path, expected);
  };
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function readFloat(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw violation(path, 'expected a number');
}

/** 15 significant digits: any decimal of so many is told from every other by its double. */
const EXACT_LIMIT = 1e15;

function decimalReader(scale: number): ScalarReader {
  const factor = 10 ** scale;
  return (value, path) => {
    if (typeof value === 'number') {
      const scaled = Math.round(value * factor);
      if (Math.abs(scaled) < EXACT_LIMIT && scaled / factor === value) return scaled + 0;
    }
    return readDecimal(value, scale, path);
  };
}

function readDecimal(value: unknown, scale: number, path: string): EventScalar {
  if (typeof value !== 'string' && typeof value !== 'number')
    throw violation(path, `expected a decimal as text or number`);
  try {
    return parseDecimal(value, scale);
  } catch (error) {
    if (!isNiobeError(error)) throw error;
    throw violation(
      path,
      `expected a decimal with at most ${scale} digits after the point, as text or as a number of at most 15 digits`,
    );
  }
}

function textReader(maxBytes: number): ScalarReader {
  return (value, path) => {
    if (typeof value !== 'string') throw violation(path, 'expected text');
    if (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes)
      throw violation(path, `the text is longer than ${maxBytes} bytes`);
    if (!value.isWellFormed()) throw violation(path, 'the text has half of a surrogate pair');
    return value;
  };
}

function bytesReader(maxBytes: number): ScalarReader {
  return (value, path) => {
    if (typeof value !== 'string' || !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value))
      throw violation(path, 'expected base64 text');
    if ((value.length / 4) * 3 - 2 > maxBytes) throw violation(path, `more than ${maxBytes} bytes`);
    const bytes = Buffer.from(value, 'base64');
    if (bytes.length > maxBytes) throw violation(path, `more than ${maxBytes} bytes`);
    return bytes;
  };
}

/** RFC 3339 text or Unix milliseconds. */
export function readTimestamp(value: unknown, path: string): number {
  const timeMs = typeof value === 'string' ? parseTime(value) : typeof value === 'number' ? value : NaN;
  if (!Number.isInteger(timeMs) || timeMs < FIRST_TIME_MS || timeMs > LAST_TIME_MS)
    throw violation(path, 'expected an RFC 3339 time such as 2024-05-31T12:00:00Z, or Unix milliseconds');
  return timeMs + 0;
}

function enumReader(values: readonly string[]): ScalarReader {
  const known = new Set<unknown>(values);
  const expected = `expected one of ${values.slice(0, 20).join(', ')}${values.length > 20 ? ', ...' : ''}`;
  return (value, path) => {
    if (!known.has(value)) throw violation(path, expected);
    return value as string;
  };
}
