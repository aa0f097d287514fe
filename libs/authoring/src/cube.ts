import type { CubeDeclaration } from '@niobe/aggregates';
import type { EventDefinition } from './event.ts';
import type { SingleOf } from './field.ts';

type Integer = 'i32' | 'i64' | 'u32' | 'u64';

/** Fields of any of the events, because a field that some of them lack is absent there. */
type FieldOf<Event, Types> = Event extends EventDefinition
  ? SingleOf<Event['fields'], { readonly type: Types }>
  : never;

type Dimension<Event> = FieldOf<Event, Integer | 'bool' | 'decimal' | 'text' | 'timestamp' | 'enum'>;
type Summed<Event> = FieldOf<Event, Integer | 'decimal'>;
type Compared<Event> = FieldOf<Event, Integer | 'decimal' | 'f64' | 'timestamp'>;

type Measure<Event> =
  | 'count'
  | { readonly sum: Summed<Event> | readonly [Summed<Event>, Summed<Event>] }
  | { readonly min: Compared<Event> }
  | { readonly max: Compared<Event> };

/** A cube over events; in its file these stand by name. */
export interface CubeDefinition<Type extends string = string> {
  readonly name: string;
  readonly on: readonly EventDefinition<Type>[];
  readonly by: CubeDeclaration['by'];
  readonly window: CubeDeclaration['window'];
  readonly measures: CubeDeclaration['measures'];
  /** `forever`, or a length. */
  readonly keep: string;
  readonly graceMs?: number;
}

/** Declares a cube. Dimensions and measures name fields that can be so of the events in `on`. */
export function defineCube<const Events extends readonly EventDefinition[]>(definition: {
  readonly name: string;
  readonly on: Events;
  readonly by: readonly (readonly Dimension<Events[number]>[])[];
  readonly window: CubeDeclaration['window'];
  readonly measures: Readonly<Record<string, Measure<Events[number]>>>;
  readonly keep: 'forever' | `${number}${'m' | 'h' | 'd'}`;
  readonly graceMs?: number;
}): CubeDefinition<Events[number]['type']> {
  return definition;
}
