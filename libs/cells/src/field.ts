import type { Bounds } from './bounds.ts';
import { encodeDefault, readBounds } from './declared-values.ts';
import type { Layout } from './layout.ts';
import { isRestricted, MERGE, TYPE, TYPE_BYTES } from './type-table.ts';
import { ARRAY_ITEMS_DEFAULT, TEXT_BYTES_DEFAULT, type FieldDeclaration, type FieldType } from './types.ts';

/** What a declared field is: the facts that code on its bytes needs. */
export interface FieldFacts {
  /** Place in the declaration. */
  readonly index: number;
  readonly name: string;
  readonly declaration: FieldDeclaration;
  /** One of {@link TYPE}. */
  readonly type: number;
  /** True for lists, of any or of fixed length. */
  readonly array: boolean;
  /** Items of a list of fixed length, else 0. */
  readonly length: number;
  readonly nullItems: boolean;
  /** Bytes of one value, 0 where they vary: text, bytes, json, record. */
  readonly bytes: number;
  /** Bytes in the fixed area, 0 for variable fields. */
  readonly fixedBytes: number;
  /** True for whatever lies in the variable area. */
  readonly variable: boolean;
  readonly optional: boolean;
  readonly maxBytes: number;
  readonly maxItems: number;
  readonly scale: number;
  readonly values: readonly string[];
  /** Index of each of {@link values}. */
  readonly codes: ReadonlyMap<string, number>;
  /** Least and most value, or null. */
  readonly bounds: Bounds | null;
  /** True if not all bytes of the right length are a value. */
  readonly restricted: boolean;
  /** True if a number in the range of the type may still be no value: a code, a code point, or beyond declared bounds. */
  readonly narrowed: boolean;
  /** The bytes of the value that a record has where it does not say, or null. */
  readonly given: Uint8Array | null;
  /** The layout of a record's fields. */
  readonly record: Layout | null;
  /** One of {@link MERGE}. */
  readonly merge: number;
}

/** Where a field lies in the bodies of an era. */
export interface Place {
  /** Bodies of so many steps and more hold the field. */
  readonly step: number;
  /** Bit in the null bitmap, -1 for a required field. */
  readonly nullBit: number;
  /** Offset in the fixed area; of no meaning for variable fields. */
  readonly fixedOffset: number;
  /** Rank among the variable fields, -1 for fixed ones. */
  readonly rank: number;
}

/** A declared field with its place. */
export interface Field extends FieldFacts, Place {}

/**
 * Joins facts and place. Written out, what code on bytes reads first, because objects that are put together from others are read slower.
 */
export function placeField(facts: FieldFacts, place: Place): Field {
  return {
    type: facts.type,
    step: place.step,
    nullBit: place.nullBit,
    fixedOffset: place.fixedOffset,
    rank: place.rank,
    bytes: facts.bytes,
    fixedBytes: facts.fixedBytes,
    variable: facts.variable,
    array: facts.array,
    record: facts.record,
    restricted: facts.restricted,
    narrowed: facts.narrowed,
    nullItems: facts.nullItems,
    length: facts.length,
    maxBytes: facts.maxBytes,
    maxItems: facts.maxItems,
    bounds: facts.bounds,
    merge: facts.merge,
    index: facts.index,
    optional: facts.optional,
    name: facts.name,
    scale: facts.scale,
    values: facts.values,
    codes: facts.codes,
    given: facts.given,
    declaration: facts.declaration,
  };
}

/**
 * The facts of a field. `isPresent` is false for a form that it had before: such a one has no default, and takes of the bounds what its
 * type can hold. Throws `SCHEMA_VIOLATION` under the field's name where a bound or the default is no value of the type.
 */
export function describeField(
  index: number,
  name: string,
  declaration: FieldDeclaration,
  record: Layout | null,
  isPresent: boolean,
): FieldFacts {
  const bytes = TYPE_BYTES[declaration.type];
  const array = declaration.array !== undefined;
  const length = typeof declaration.array === 'number' ? declaration.array : 0;
  const nullItems = declaration.nullItems === true;
  const variable = bytes === 0 || declaration.array === true;
  const values = declaration.values ?? [];
  const plain: FieldFacts = {
    index,
    name,
    declaration,
    type: TYPE[declaration.type],
    array,
    length,
    nullItems,
    bytes,
    fixedBytes: variable ? 0 : fixedBytesOf(bytes, length, nullItems),
    variable,
    optional: declaration.optional === true,
    maxBytes: declaration.maxBytes ?? TEXT_BYTES_DEFAULT,
    maxItems: declaration.maxItems ?? ARRAY_ITEMS_DEFAULT,
    scale: declaration.scale ?? 0,
    values,
    codes: new Map(values.map((value, code) => [value, code])),
    bounds: null,
    restricted: nullItems || isRestricted(declaration.type) || hasBounds(declaration),
    narrowed: NARROW.includes(declaration.type) || hasBounds(declaration),
    given: null,
    record,
    merge: MERGE[declaration.merge ?? 'replace'],
  };
  const bounded = { ...plain, bounds: readBounds(plain, isPresent) };
  return { ...bounded, given: isPresent ? encodeDefault(bounded) : null };
}

const NARROW: readonly FieldType[] = ['enum', 'dict', 'char'];

function fixedBytesOf(bytes: number, length: number, nullItems: boolean): number {
  if (length === 0) return bytes;
  return bytes * length + (nullItems ? (length + 7) >>> 3 : 0);
}

function hasBounds({ min, max }: FieldDeclaration): boolean {
  return min !== undefined || max !== undefined;
}
