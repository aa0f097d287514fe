import type { MergeOperator, ScalarType } from '@niobe/cells';
import type { EventFieldType } from '@niobe/events';

/** Declared fields: the plain JSON that stands in the file, as far as types can say what it may be. */

type Integer = 'i32' | 'i64' | 'u32' | 'u64' | 'i128';
type Ordered = Integer | 'f64' | 'decimal' | 'timestamp';

/** What a field of a type says besides what every field can say. */
interface Details {
  readonly decimal: { readonly scale: number };
  readonly enum: { readonly values: readonly string[] };
  readonly text: { readonly maxBytes?: number };
  readonly bytes: { readonly maxBytes?: number };
}

type DetailsOf<T> = T extends keyof Details ? Details[T] : unknown;

/** Times are compared, not added; what has no order is kept or replaced. */
type MergeOf<T> = T extends 'timestamp'
  ? Exclude<MergeOperator, 'add'>
  : T extends Ordered
    ? MergeOperator
    : Exclude<MergeOperator, 'add' | 'min' | 'max'>;

interface Declared<T> {
  readonly type: T;
  readonly optional?: true;
  readonly array?: true;
  readonly maxItems?: number;
}

type EventFieldOf<T> = Declared<T> & DetailsOf<T>;
type CellFieldOf<T> = EventFieldOf<T> & { readonly merge?: MergeOf<T> };

/** A field of an event. */
export type EventFieldDefinition = { [T in EventFieldType]: EventFieldOf<T> }[EventFieldType];

/** A field of a cell. */
export type CellFieldDefinition = { [T in ScalarType]: CellFieldOf<T> }[ScalarType];

/** Keys of all members of a union. */
type KeysOf<U> = U extends unknown ? keyof U : never;

/** Makes every key of the fields `F` that no field of its type in `Possible` has an error. */
export type NoOtherKeys<F, Possible> = {
  readonly [N in keyof F]: F[N] extends { readonly type: infer T }
    ? { readonly [K in Exclude<keyof F[N], KeysOf<Extract<Possible, { readonly type: T }>>>]: never }
    : unknown;
};

/** Names of the fields that may be absent. */
export type OptionalNames<F> = { [N in keyof F]: F[N] extends { readonly optional: true } ? N : never }[keyof F];

type NamesOf<F, Wanted> = { [N in keyof F]: F[N] extends Wanted ? N : never }[keyof F] & string;

/** Names of the fields that hold one value and whose declaration extends `Wanted`. */
export type SingleOf<F, Wanted> = Exclude<NamesOf<F, Wanted>, NamesOf<F, { readonly array: true }>>;
