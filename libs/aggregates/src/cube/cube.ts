import type { FieldDeclaration, SchemaDeclaration } from '@niobe/cells';
import type { EventType } from '@niobe/events';
import type { CubeDeclaration } from './cube-declaration.ts';

/** A declared cube that was compiled against the event types; what folding and querying work from. */
export interface Cube {
  readonly name: string;
  /** Hash of the definition, 16 hex digits, then `-<generation>` for a cube that was rebuilt. */
  readonly revision: string;
  readonly declaration: CubeDeclaration;
  /** 0 for the window `all`. */
  readonly windowMs: number;
  /** Infinite for `forever`. */
  readonly keepMs: number;
  readonly graceMs: number;
  readonly eventTypes: readonly EventType[];
  /** Topics of its event types, each once. */
  readonly topics: readonly string[];
  readonly measures: readonly Measure[];
  readonly sets: readonly DimensionSet[];
}

/** How a dimension's values are written in keys and shown in answers. */
export type DimensionKind = 'text' | 'integer' | 'decimal' | 'bool' | 'timestamp';

/** A dimension of a cube: one column of its events. */
export interface Dimension {
  readonly name: string;
  readonly kind: DimensionKind;
  readonly scale: number;
  /** The longest text of a value in bytes of UTF-8. */
  readonly textBytesMax: number;
  readonly field: FieldDeclaration;
}

/** One set of dimensions. Each has a cell schema of its own, whose fields are `pane`, the dimensions, the measures. */
export interface DimensionSet {
  readonly index: number;
  readonly dimensions: readonly Dimension[];
  readonly schema: SchemaDeclaration;
}

/** What is measured. */
export type MeasureKind = 'count' | 'sum' | 'min' | 'max';

/** One measure of a cube. */
export interface Measure {
  readonly name: string;
  readonly kind: MeasureKind;
  /** Names of the event fields: none for `count`, two for the sum of a product. */
  readonly columns: readonly string[];
  /** Digits after the point; the added scales of both factors of a product. */
  readonly scale: number;
  /** Shown as text with `scale` digits after the point. */
  readonly isDecimal: boolean;
  readonly field: FieldDeclaration;
}

/** Field of the cell schemas that holds the pane's first millisecond. */
export const PANE_FIELD = 'pane';

/** Name of the cell schema of a set. */
export function schemaNameOf(cube: string, revision: string, set: number): string {
  return `cube/${cube}@${revision}/${set}`;
}

/** Name of the source, as cursors know it, of a cube's share of one Kafka partition. */
export function sourceNameOf(cube: Pick<Cube, 'name' | 'revision'>, topic: string, partition: number): string {
  return `cube:${cube.name}@${cube.revision}/${topic}/${partition}`;
}
