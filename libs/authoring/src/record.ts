import type { GeoPoint, JsonValue } from '@niobe/cells';
import type { GivenNames, OptionalNames } from './field.ts';

/** Types of the values that declared fields have: in cells as they are read and written, in events as they are posted. */

/** Values in memory, as cells are read. Integers of 64 bits and more are bigints where they are not safe. */
interface Values {
  readonly bool: boolean;
  readonly i8: number;
  readonly i16: number;
  readonly i32: number;
  readonly u8: number;
  readonly u16: number;
  readonly u32: number;
  readonly i64: number | bigint;
  readonly u64: number | bigint;
  readonly i128: number | bigint;
  readonly f32: number;
  readonly f64: number;
  /** With exactly `scale` digits after the point. */
  readonly decimal: string;
  /** One code point. */
  readonly char: string;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly uuid: string;
  /** Unix milliseconds. */
  readonly timestamp: number;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly dict: string;
  /** A cell id. */
  readonly id: number;
  readonly pos2: readonly [number, number];
  readonly pos3: readonly [number, number, number];
  readonly pos4: readonly [number, number, number, number];
  readonly geo: GeoPoint;
  readonly json: JsonValue;
}

/** Values that may be written where {@link Values} are read. */
interface NewValues extends Omit<Values, 'decimal'> {
  readonly decimal: string | number;
}

/** Values as events are posted in JSON. */
interface JsonValues {
  readonly bool: boolean;
  readonly i32: number;
  readonly u32: number;
  /** Text of digits beyond 2^53 - 1. */
  readonly i64: number | string;
  readonly u64: number | string;
  readonly f64: number;
  readonly decimal: string | number;
  readonly text: string;
  /** In base64. */
  readonly bytes: string;
  /** RFC 3339, or Unix milliseconds. */
  readonly timestamp: string | number;
}

type ScalarOf<F, Table> = F extends { readonly type: 'enum'; readonly values: readonly (infer Name)[] }
  ? Name
  : F extends { readonly type: infer T extends keyof Table }
    ? Table[T]
    : never;

/** A list where one is declared, of values that may be null where that is declared. */
type Listed<F, Item> = F extends { readonly array: true | number }
  ? readonly (Item | (F extends { readonly nullItems: true } ? null : never))[]
  : Item;

/** The fields of a record, its own or those of the schema it names. */
type FieldsOf<F> = F extends { readonly fields: infer Fields }
  ? Fields
  : F extends { readonly schema: { readonly fields: infer Fields } }
    ? Fields
    : never;

/** An intersection as one object, so that editors show it plainly. */
type Flat<T> = { [N in keyof T]: T[N] };

type ReadValue<F> = Listed<F, [FieldsOf<F>] extends [never] ? ScalarOf<F, Values> : ReadRecord<FieldsOf<F>>>;

/** The record of these fields: all of them, null where an optional one is absent. */
export type ReadRecord<F> = {
  -readonly [N in keyof F]: ReadValue<F[N]> | (N extends OptionalNames<F> ? null : never);
};

type WrittenValue<F, Table> = Listed<
  F,
  [FieldsOf<F>] extends [never] ? ScalarOf<F, Table> : Written<FieldsOf<F>, Table>
>;

type Written<F, Table> = Flat<
  { [N in Exclude<keyof F, OptionalNames<F> | GivenNames<F>>]: WrittenValue<F[N], Table> } & {
    [N in OptionalNames<F>]?: WrittenValue<F[N], Table> | null;
  } & { [N in GivenNames<F>]?: WrittenValue<F[N], Table> }
>;

/** What can be written as a record of these fields: optional ones, and those with a default, may be left out. */
export type NewRecord<F> = Written<F, NewValues>;

/** What can be posted as the data of an event with these fields. */
export type JsonRecord<F> = Written<F, JsonValues>;
