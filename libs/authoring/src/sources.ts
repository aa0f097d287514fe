import type { OptionalNames, SingleOf } from './field.ts';

/**
 * Which fields of an event can become which field of a vertex or counter of an edge: those whose every value fits as it is. Bounds of text
 * are not compared here; they are where the deployment is read.
 */

/** Types whose every value fits. */
interface Fitting {
  readonly bool: 'bool';
  readonly i32: 'i32';
  readonly u32: 'u32';
  readonly i64: 'i64' | 'i32' | 'u32';
  readonly u64: 'u64' | 'u32';
  readonly i128: 'i64' | 'u64' | 'i32' | 'u32';
  readonly f64: 'f64' | 'i32' | 'u32';
  readonly text: 'text' | 'enum';
  readonly bytes: 'bytes';
  readonly timestamp: 'timestamp';
}

/** Fields that events do not set: lists, and those that do not take every value of their type. */
type Closed = { readonly array: true | number } | { readonly min: number | string } | { readonly max: number | string };

/** What the declaration of a field must extend to be taken as `Target`. */
type Taken<Target> = Target extends Closed
  ? never
  : Target extends { readonly type: 'decimal'; readonly scale: infer Scale }
    ? { readonly type: 'decimal'; readonly scale: Scale }
    : Target extends { readonly type: 'enum'; readonly values: readonly (infer Name)[] }
      ? { readonly type: 'enum'; readonly values: readonly Name[] }
      : Target extends { readonly type: infer T extends keyof Fitting }
        ? { readonly type: Fitting[T] }
        : never;

/** Names of the event's fields whose value can be the key of a vertex. */
export type KeySource<Fields, Key> = Key extends 'text'
  ? SingleOf<Fields, { readonly type: 'text' | 'enum' }>
  : Key extends 'integer'
    ? SingleOf<Fields, { readonly type: 'i32' | 'u32' | 'i64' | 'u64' }>
    : never;

/** Names of the event's fields that `Target` can take, and `time` where it can take the time of the event. */
export type Source<Fields, Target> = SingleOf<Fields, Taken<Target>> | Time<Target>;

type Time<Target> = Target extends Closed ? never : Target extends { readonly type: 'timestamp' } ? 'time' : never;

/** As {@link Source}; what must be there does not come from what may be absent. */
export type FieldSource<Fields, Target> = Target extends { readonly optional: true }
  ? Source<Fields, Target>
  : Exclude<Source<Fields, Target>, OptionalNames<Fields>>;
