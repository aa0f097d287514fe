import type { SchemaDeclaration } from '@niobe/cells';
import type { EventType } from '@niobe/events';
import type { EdgeType } from '@niobe/graph';

/** A declared mapping that was compiled against event types, cells and edge types; what folding works from. */
export interface Mapping {
  readonly name: string;
  /** Hash of the definition, 16 hex digits. */
  readonly revision: string;
  /** Topics of its event types, each once. */
  readonly topics: readonly string[];
  /** One for each event type. */
  readonly rules: readonly EventRule[];
}

/** What one event of a type becomes. */
export interface EventRule {
  readonly type: EventType;
  /** Those that the mapping lists, then those that its edges imply. */
  readonly vertices: readonly VertexRule[];
  readonly edges: readonly EdgeRule[];
}

/** A vertex that is written unless the event lacks its key. */
export interface VertexRule {
  readonly schema: SchemaDeclaration;
  /** Index of the event field that is the key. */
  readonly key: number;
  readonly sets: readonly Assignment[];
}

/** An edge that is written unless the event lacks one of its ends. */
export interface EdgeRule {
  readonly edge: EdgeType;
  /** Indexes of its ends among the vertices of the rule. */
  readonly from: number;
  readonly to: number;
  readonly adds: readonly Assignment[];
}

/** A field of a vertex or a counter of an edge, and where its value comes from. */
export interface Assignment {
  /** Index of the field in the cell schema. */
  readonly field: number;
  readonly value: ValueSource;
}

/** An event field by its index, a constant (of a decimal: scaled), or the time of the event. */
export type ValueSource =
  | { readonly kind: 'field'; readonly index: number }
  | { readonly kind: 'constant'; readonly constant: number }
  | { readonly kind: 'time' };

/** Stages of a mapping: each has cursors of its own, and the vertices of a stretch of offsets are in before its edges are sent. */
const STAGES: readonly ['vertices', 'edges'] = ['vertices', 'edges'];

/** Names of the sources, as cursors know them, of a mapping's share of one Kafka partition: one for each of {@link STAGES}. */
export function sourceNamesOf(
  { name, revision }: Pick<Mapping, 'name' | 'revision'>,
  topic: string,
  partition: number,
): string[] {
  return STAGES.map((stage) => `mapping:${name}@${revision}/${stage}/${topic}/${partition}`);
}
