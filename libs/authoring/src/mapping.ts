import { assert } from '@niobe/kernel';
import type { CellDefinition } from './cell.ts';
import type { EdgeDefinition } from './edge.ts';
import type { EventDefinition } from './event.ts';
import type { FieldSource, KeySource, Source } from './sources.ts';

/** A vertex that an event makes or changes. */
export interface VertexPart<Event extends EventDefinition, Cell extends CellDefinition> {
  readonly schema: Cell;
  /** Field whose value is the vertex's key; where it is absent there is no vertex. */
  readonly key: KeySource<Event['fields'], Cell['key']>;
  /** Field of the vertex -> field of the event, or `time`. */
  readonly set?: { readonly [N in keyof Cell['fields']]?: FieldSource<Event['fields'], Cell['fields'][N]> };
}

/** An edge that an event makes or counts on, and with it both its vertices. */
export interface EdgePart<Event extends EventDefinition, Edge extends EdgeDefinition> {
  readonly edge: Edge;
  readonly from: KeySource<Event['fields'], Edge['from']['key']>;
  readonly to: KeySource<Event['fields'], Edge['to']['key']>;
  /** Counter -> an integer, field of the event, or `time`. */
  readonly add?: Addends<Event['fields'], NonNullable<Edge['counters']>>;
}

/** Nothing where there are no counters; the empty object type would take anything. */
type Addends<Fields, Counted> = keyof Counted extends never
  ? never
  : { readonly [N in keyof Counted]?: Source<Fields, Counted[N]> | Constant<Counted[N]> };

type Constant<Counter> = Counter extends { readonly type: 'timestamp' } ? never : number;

/** What is done with the events of one type. The names are what a deployment must declare. */
export interface MappedEvent<
  Type extends string = string,
  CellName extends string = string,
  EdgeName extends string = string,
> {
  readonly event: EventDefinition<Type>;
  readonly vertices?: readonly {
    readonly schema: CellDefinition<CellName>;
    readonly key: string;
    readonly set?: Readonly<Record<string, string>>;
  }[];
  readonly edges?: readonly {
    readonly edge: EdgeDefinition<EdgeName>;
    readonly from: string;
    readonly to: string;
    readonly add?: Readonly<Record<string, string | number>>;
  }[];
}

/** A mapping; in its file the events stand by name. */
export interface MappingDefinition<
  Type extends string = string,
  CellName extends string = string,
  EdgeName extends string = string,
> {
  readonly name: string;
  readonly on: readonly MappedEvent<Type, CellName, EdgeName>[];
}

/** Says what the events of one type become; every name is checked against what was defined. */
export function on<
  Event extends EventDefinition,
  const Cells extends readonly CellDefinition[] = [],
  const Edges extends readonly EdgeDefinition[] = [],
>(
  event: Event,
  parts: {
    readonly vertices?: { readonly [I in keyof Cells]: VertexPart<Event, Cells[I]> };
    readonly edges?: { readonly [I in keyof Edges]: EdgePart<Event, Edges[I]> };
  },
): MappedEvent<Event['type'], Cells[number]['name'], Edges[number]['name']> {
  // The parts are what they were, but that their names are known here by type.
  return { event, ...parts } as MappedEvent<Event['type'], Cells[number]['name'], Edges[number]['name']>;
}

/** Declares a mapping. Each event type may occur once. */
export function defineMapping<const Type extends string, const CellName extends string, const EdgeName extends string>(
  definition: MappingDefinition<Type, CellName, EdgeName>,
): MappingDefinition<Type, CellName, EdgeName> {
  const types = definition.on.map(({ event }) => event.type);
  assert(new Set(types).size === types.length, 'an event type occurs once in a mapping');
  return definition;
}
