import type { CounterMerge, CounterType } from '@niobe/graph';
import type { CellDefinition } from './cell.ts';
import type { ReadRecord } from './record.ts';

/** A counter of an edge: what each event adds, or the least or greatest of them. */
export type CounterDefinition =
  | { readonly type: Exclude<CounterType, 'decimal' | 'timestamp'>; readonly merge?: CounterMerge }
  | { readonly type: 'decimal'; readonly scale: number; readonly merge?: CounterMerge }
  | { readonly type: 'timestamp'; readonly merge: Exclude<CounterMerge, 'add'> };

/** Declared counters, by name. */
export type Counters = Readonly<Record<string, CounterDefinition>>;

/** An edge type between two cell schemas; in its file these stand by name. */
export interface EdgeDefinition<
  Name extends string = string,
  From extends CellDefinition = CellDefinition,
  To extends CellDefinition = CellDefinition,
  Counted extends Counters = Counters,
> {
  readonly name: Name;
  readonly from: From;
  readonly to: To;
  readonly directed?: boolean;
  readonly counters?: Counted;
}

/** Declares an edge type. */
export function defineEdge<
  const Name extends string,
  const From extends CellDefinition<string, 'text' | 'integer'>,
  const To extends CellDefinition<string, 'text' | 'integer'>,
  const Counted extends Counters = Readonly<Record<never, never>>,
>(definition: EdgeDefinition<Name, From, To, Counted>): EdgeDefinition<Name, From, To, Counted> {
  return definition;
}

/** Fields that may be absent: an edge of which nothing was counted yet has none. */
type Absent<Counted> = { [N in keyof Counted]: Counted[N] & { readonly optional: true } };

/** The counters of one edge as they are read. */
export type CountersOf<Edge extends EdgeDefinition> =
  Edge extends EdgeDefinition<string, CellDefinition, CellDefinition, infer Counted>
    ? ReadRecord<Absent<Counted>>
    : never;
