import type { TopicDeclaration } from '@niobe/events';
import type { CellDefinition } from './cell.ts';
import type { CubeDefinition } from './cube.ts';
import type { EdgeDefinition } from './edge.ts';
import type { EventDefinition } from './event.ts';
import type { MappingDefinition } from './mapping.ts';

/** A topic; what is left out has its default. */
export interface TopicDefinition<Name extends string = string> extends Partial<Omit<TopicDeclaration, 'name'>> {
  readonly name: Name;
}

/** A whole deployment. */
export interface DeploymentDefinition {
  readonly name: string;
  readonly shards: readonly string[];
  readonly partitions?: number;
  readonly topics?: readonly TopicDefinition[];
  readonly events?: readonly EventDefinition[];
  readonly cells?: readonly CellDefinition[];
  readonly cubes?: readonly CubeDefinition[];
  readonly edges?: readonly EdgeDefinition[];
  readonly mappings?: readonly MappingDefinition[];
}

/** Declares a deployment. What events, cubes, edge types and mappings refer to must be among what it declares. */
export function defineDeployment<
  const Topics extends readonly TopicDefinition[] = [],
  const Events extends readonly EventDefinition<string, Topics[number]['name']>[] = [],
  const Cells extends readonly CellDefinition[] = [],
  const Edges extends readonly EdgeDefinition<string, OneOf<Cells>, OneOf<Cells>>[] = [],
>(definition: {
  readonly name: string;
  readonly shards: readonly string[];
  readonly partitions?: number;
  readonly topics?: Topics;
  readonly events?: Events;
  readonly cells?: Cells;
  readonly cubes?: readonly CubeDefinition<Events[number]['type']>[];
  readonly edges?: Edges;
  readonly mappings?: readonly MappingDefinition<
    Events[number]['type'],
    Cells[number]['name'],
    Edges[number]['name']
  >[];
}): DeploymentDefinition {
  return definition;
}

type OneOf<Cells extends readonly CellDefinition[]> = CellDefinition<Cells[number]['name']>;
