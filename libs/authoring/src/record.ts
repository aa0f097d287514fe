import type { OptionalNames } from './field.ts';

/** Types of the values that declared fields have: in cells as they are read and written, in events as they are posted. */

/** Values in memory, as cells are read. Integers of 64 bits and more are bigints where they are not safe. */
interface Values {
  readonly bool: boolean;
  readonly i32: number;
  readonly u32: number;
  readonly i64: number | bigint;
  readonly u64: number | bigint;
  readonly i128: number | bigint;
  readonly f64: number;
  /** With exactly `scale` digits after the point. */
  readonly decimal: string;
  readonly text: string;
  readonly bytes: Uint8Array;
  /** Unix milliseconds. */
  readonly timestamp: number;
  /** A cell id. */
  readonly id: number;
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

type ValueOf<F, Table> = F extends { readonly array: true } ? readonly ScalarOf<F, Table>[] : ScalarOf<F, Table>;

/** An intersection as one object, so that editors show it plainly. */
type Flat<T> = { [N in keyof T]: T[N] };

/** The record of these fields: all of them, null where an optional one is absent. */
export type ReadRecord<F> = {
  -readonly [N in keyof F]: ValueOf<F[N], Values> | (N extends OptionalNames<F> ? null : never);
};

type Written<F, Table> = Flat<
  { [N in Exclude<keyof F, OptionalNames<F>>]: ValueOf<F[N], Table> } & {
    [N in OptionalNames<F>]?: ValueOf<F[N], Table> | null;
  }
>;

/** What can be written as a record of these fields: optional ones may be left out. */
export type NewRecord<F> = Written<F, NewValues>;

/** What can be posted as the data of an event with these fields. */
export type JsonRecord<F> = Written<F, JsonValues>;
