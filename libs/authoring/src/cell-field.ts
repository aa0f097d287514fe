import type { FieldType, JsonValue, MergeOperator, ScalarType } from '@niobe/cells';
import type { CellDefinition } from './cell.ts';

/** Declared fields of cells. */

type Integer = 'i8' | 'i16' | 'i32' | 'i64' | 'u8' | 'u16' | 'u32' | 'u64' | 'i128';
type Summable = Integer | 'f32' | 'f64' | 'decimal';
type Ordered = Summable | 'timestamp' | 'date';
/** Types whose lists are replaced as a whole. */
type Whole = 'json' | 'record';

/** What a field of a type says besides what every field can say. */
interface Details {
  readonly decimal: { readonly scale: number };
  readonly enum: { readonly values: readonly string[] };
  readonly dict: { readonly values?: readonly string[]; readonly maxBytes?: number };
  readonly text: { readonly maxBytes?: number };
  readonly bytes: { readonly maxBytes?: number };
  readonly json: { readonly maxBytes?: number };
}

/** Integers beyond 2^53 are text. */
interface Bounds {
  readonly min?: number | string;
  readonly max?: number | string;
}

type DetailsOf<T> = (T extends keyof Details ? Details[T] : unknown) & (T extends Ordered ? Bounds : unknown);

/** Times are compared, not added; what has no order is kept or replaced. */
type MergeOf<T> =
  | 'keep'
  | 'replace'
  | (T extends Summable ? 'add' : never)
  | (T extends Ordered ? 'min' | 'max' : never)
  | (T extends Whole ? never : Extract<MergeOperator, 'setUnion' | 'append'>);

interface Declared<T> {
  readonly optional?: true;
  /** A list of any length, or of exactly so many items. */
  readonly array?: true | number;
  readonly nullItems?: true;
  readonly maxItems?: number;
  readonly merge?: MergeOf<T>;
}

type ScalarFieldOf<T> = Declared<T> & DetailsOf<T> & { readonly type: T; readonly default?: JsonValue };

/** A record in a cell. */
interface RecordField extends Declared<'record'> {
  readonly type: Extract<FieldType, 'record'>;
  readonly fields: CellFields;
}

/** A record with the fields of another schema; in the file this stands by name. */
export interface SchemaField extends Declared<'record'> {
  readonly schema: CellDefinition;
  readonly type?: never;
}

/** A field of a cell. */
export type CellFieldDefinition = { [T in ScalarType]: ScalarFieldOf<T> }[ScalarType] | RecordField | SchemaField;

/** Declared fields of cells, by name. */
export interface CellFields {
  readonly [name: string]: CellFieldDefinition;
}
