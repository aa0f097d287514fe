import type { EventFieldType } from '@niobe/events';

/** Declared fields: the plain JSON that stands in the file, as far as types can say what it may be. */

/** What a field of a type says besides what every field can say. */
interface Details {
  readonly decimal: { readonly scale: number };
  readonly enum: { readonly values: readonly string[] };
  readonly text: { readonly maxBytes?: number };
  readonly bytes: { readonly maxBytes?: number };
}

type DetailsOf<T> = T extends keyof Details ? Details[T] : unknown;

interface Declared<T> {
  readonly type: T;
  readonly optional?: true;
  readonly array?: true;
  readonly maxItems?: number;
}

/** A field of an event. */
export type EventFieldDefinition = { [T in EventFieldType]: Declared<T> & DetailsOf<T> }[EventFieldType];

/** Keys of all members of a union. */
type KeysOf<U> = U extends unknown ? keyof U : never;

/** Makes every key of the fields `F`, and of the records in them, that no field of its type in `Possible` has an error. */
export type NoOtherKeys<F, Possible> = {
  readonly [N in keyof F]: F[N] extends { readonly type: infer T }
    ? { readonly [K in Exclude<keyof F[N], KeysOf<Extract<Possible, { readonly type: T }>>>]: never } & Inner<
        F[N],
        Possible
      >
    : unknown;
};

type Inner<Field, Possible> = Field extends { readonly fields: infer Fields }
  ? { readonly fields: NoOtherKeys<Fields, Possible> }
  : unknown;

/** Names of the fields that may be absent. */
export type OptionalNames<F> = { [N in keyof F]: F[N] extends { readonly optional: true } ? N : never }[keyof F];

/** Names of the fields that have a default and are never null. */
export type GivenNames<F> = Exclude<
  { [N in keyof F]: F[N] extends { readonly default: unknown } ? N : never }[keyof F],
  OptionalNames<F>
>;

type NamesOf<F, Wanted> = { [N in keyof F]: F[N] extends Wanted ? N : never }[keyof F] & string;

/** Names of the fields that hold one value and whose declaration extends `Wanted`. */
export type SingleOf<F, Wanted> = Exclude<NamesOf<F, Wanted>, NamesOf<F, { readonly array: true }>>;
