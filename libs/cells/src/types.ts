/**
 * What a cell schema can declare, as it stands in deployment files, in the shared map of schemas and in the log.
 */

/**
 * Type of one value. `i128` is for exact sums; `id` refers to another cell (a 52-bit cell id); `dict` is text of few different values,
 * kept as numbers.
 */
export type ScalarType =
  | 'bool'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'i64'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'i128'
  | 'f32'
  | 'f64'
  | 'decimal'
  | 'char'
  | 'text'
  | 'bytes'
  | 'uuid'
  | 'timestamp'
  | 'date'
  | 'enum'
  | 'dict'
  | 'id'
  | 'pos2'
  | 'pos3'
  | 'pos4'
  | 'geo'
  | 'json';

/** Type of a field: a value, or a record with fields of its own. */
export type FieldType = ScalarType | 'record';

/**
 * How a merge joins a stored value with the one of a delta. `keep` leaves the stored value, `replace` takes the delta's (also its
 * null); the others take a null on either side as "nothing". `setUnion` adds to a list the items of the delta that it has not,
 * `append` all of them.
 */
export type MergeOperator = 'keep' | 'replace' | 'add' | 'min' | 'max' | 'setUnion' | 'append';

/**
 * What identifies a cell within its schema. `none` cells are found by id only. `id` and `pair` keys are one and two cell ids; their cells
 * live in the partition of the first. Deployments cannot declare those two: they are for what the system keeps beside a cell.
 */
export type KeyType = 'text' | 'integer' | 'none' | 'id' | 'pair';

/** A form that a field had before it was widened. */
export interface EarlierForm {
  readonly type: FieldType;
  readonly optional?: true;
  /** Bodies of so many steps and fewer hold the field so. */
  readonly steps: number;
}

/** One field of a cell, or of a record in it. */
export interface FieldDeclaration {
  readonly type: FieldType;
  /** The value may be null. */
  readonly optional?: true;
  /** A list of values of `type`: of any length up to `maxItems`, or of exactly so many. */
  readonly array?: true | number;
  /** Items of the list may be null. */
  readonly nullItems?: true;
  /** The fields of a `record`. */
  readonly fields?: FieldDeclarations;
  /** Digits after the point of a `decimal`, 0 to 9. */
  readonly scale?: number;
  /** Names of an `enum`, in the order of their numbers; texts that a `dict` has so far. */
  readonly values?: readonly string[];
  /** Longest `text` (in UTF-8), `bytes`, `json` or `dict` value; default {@link TEXT_BYTES_DEFAULT}. */
  readonly maxBytes?: number;
  /** Longest array; default {@link ARRAY_ITEMS_DEFAULT}. */
  readonly maxItems?: number;
  /** Smallest value of a number, time or date; integers beyond 2^53 as text. */
  readonly min?: number | string;
  /** Largest value, as `min`. */
  readonly max?: number | string;
  /** What the field is where a record does not say, and in cells older than the field. `bytes` in base64. */
  readonly default?: JsonValue;
  /** Default `replace`. */
  readonly merge?: MergeOperator;
  /** Forms before widenings, oldest first. Written by `joinRevisions`, never by people. */
  readonly was?: readonly EarlierForm[];
}

/** Fields by name; their order is the order of the body. */
export type FieldDeclarations = Readonly<Record<string, FieldDeclaration>>;

/** An index over the values that a path leads to. */
export interface IndexDeclaration {
  /** `price`, `address.city`, `tags`, `lines.product`. */
  readonly on: string;
  readonly kind: 'hash' | 'sorted';
}

/** A cell schema. The order of `fields` is the order of the body. */
export interface SchemaDeclaration {
  readonly name: string;
  readonly key: KeyType;
  readonly fields: FieldDeclarations;
  /** By name. */
  readonly indexes?: Readonly<Record<string, IndexDeclaration>>;
}

/** Any value that JSON has. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue | undefined };

/** A place on the earth, in degrees: `lat` -90 to 90, `lon` -180 to 180. */
export interface GeoPoint {
  readonly lat: number;
  readonly lon: number;
}

/**
 * A value as the application sees it: 64-bit and wider integers are numbers while they are safe, else bigints; a `decimal` is text
 * with exactly `scale` digits; a `timestamp` is Unix milliseconds; a `date` is `YYYY-MM-DD`; an `enum` is its name; a `char` is one
 * code point as text; a `uuid` is text in lower case; a position is a list of doubles; the others are what JSON would have.
 */
export type ScalarValue = bigint | Uint8Array | GeoPoint | JsonValue;

/** A field's value; null where an optional field is absent. */
export type FieldValue = ScalarValue | CellRecord | readonly (ScalarValue | CellRecord)[] | null;

/** A cell's fields by name. */
export interface CellRecord {
  [name: string]: FieldValue;
}

/** Steps of one layout: fields, and widenings of them. A body says in one byte with how many it was written. */
export const STEPS_MAX = 255;
/** Revisions of one schema. */
export const REVISIONS_MAX = 0xffff;
/** Records within records, the cell itself counted. */
export const NESTING_MAX = 8;
/** Nesting of lists and objects in a `json` value. */
export const JSON_NESTING_MAX = 64;
/** Names of one enum. */
export const ENUM_VALUES_MAX = 1024;
/** Texts of one dict. */
export const DICT_VALUES_MAX = 0xffff;
/** All texts of one dict together: the declaration that holds them travels in one message and one entry of the log. */
export const DICT_BYTES_MAX: number = 256 * 1024;
/** One name of an enum, one text of a dict. */
export const NAME_BYTES_MAX = 255;
export const TEXT_BYTES_DEFAULT = 4096;
export const ARRAY_ITEMS_DEFAULT = 1024;
/** Digits after the point of a decimal. */
export const SCALE_MAX = 9;
/** Indexes of one schema. */
export const INDEXES_MAX = 32;
/** A cell: key and body together. */
export const CELL_BYTES_MAX: number = 1024 * 1024;
/** A key in its encoded form. */
export const KEY_BYTES_MAX = 512;
/** The range of an ECMAScript date, in milliseconds either side of 1970. */
export const TIMESTAMP_MS_MAX = 8_640_000_000_000_000;
/** Cell ids are below 2^52. */
export const CELL_ID_LIMIT: number = 2 ** 52;
