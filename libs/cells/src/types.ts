/**
 * What a cell schema can declare, as it stands in deployment files, in the shared map of schemas and in the log.
 */

/** Type of one value. `i128` is for exact sums; `id` refers to another cell (a 52-bit cell id). */
export type ScalarType =
  'bool' | 'i32' | 'i64' | 'u32' | 'u64' | 'i128' | 'f64' | 'decimal' | 'text' | 'bytes' | 'timestamp' | 'enum' | 'id';

/**
 * How a merge joins a stored value with the one of a delta. `keep` leaves the stored value, `replace` takes the delta's (also its
 * null); `add`, `min` and `max` take a null on either side as "nothing".
 */
export type MergeOperator = 'keep' | 'replace' | 'add' | 'min' | 'max';

/**
 * What identifies a cell within its schema. `none` cells are found by id only. `id` and `pair` keys are one and two cell ids; their cells
 * live in the partition of the first. Deployments cannot declare those two: they are for what the system keeps beside a cell.
 */
export type KeyType = 'text' | 'integer' | 'none' | 'id' | 'pair';

/** One field of a cell. */
export interface FieldDeclaration {
  readonly type: ScalarType;
  /** The value may be null. Absent and null are one. */
  readonly optional?: true;
  /** A list of values of `type`; its items are never null. */
  readonly array?: true;
  /** Digits after the point of a `decimal`, 0 to 9. */
  readonly scale?: number;
  /** Names of an `enum`, in the order of their numbers. */
  readonly values?: readonly string[];
  /** Longest `text` (in UTF-8) or `bytes` value; default {@link TEXT_BYTES_DEFAULT}. */
  readonly maxBytes?: number;
  /** Longest array; default {@link ARRAY_ITEMS_DEFAULT}. */
  readonly maxItems?: number;
  /** Default `replace`. */
  readonly merge?: MergeOperator;
}

/** A cell schema. The order of `fields` is the order of the body. */
export interface SchemaDeclaration {
  readonly name: string;
  readonly key: KeyType;
  readonly fields: Readonly<Record<string, FieldDeclaration>>;
}

/**
 * A value as the application sees it: 64-bit and wider integers are numbers while they are safe, else bigints; a `decimal` is text
 * with exactly `scale` digits; a `timestamp` is Unix milliseconds; an `enum` is its name.
 */
export type ScalarValue = boolean | number | bigint | string | Uint8Array;

/** A field's value; null where an optional field is absent. */
export type FieldValue = ScalarValue | readonly ScalarValue[] | null;

/** A cell's fields by name. */
export type CellRecord = Record<string, FieldValue>;

/** Fields of one schema: the body says in one byte how many it was written with. */
export const FIELDS_MAX = 255;
/** Revisions of one schema. */
export const REVISIONS_MAX = 0xffff;
/** Names of one enum. */
export const ENUM_VALUES_MAX = 1024;
export const TEXT_BYTES_DEFAULT = 4096;
export const ARRAY_ITEMS_DEFAULT = 1024;
/** Digits after the point of a decimal. */
export const SCALE_MAX = 9;
/** A cell: key and body together. */
export const CELL_BYTES_MAX: number = 1024 * 1024;
/** A key in its encoded form. */
export const KEY_BYTES_MAX = 512;
/** The range of an ECMAScript date, in milliseconds either side of 1970. */
export const TIMESTAMP_MS_MAX = 8_640_000_000_000_000;
/** Cell ids are below 2^52. */
export const CELL_ID_LIMIT: number = 2 ** 52;
