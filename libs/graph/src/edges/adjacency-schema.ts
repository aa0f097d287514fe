import {
  compareRevisions,
  compileSchema,
  type CompiledSchema,
  type FieldDeclaration,
  type SchemaDeclaration,
} from '@niobe/cells';
import { EDGE_CHUNK_SCHEMA, EDGE_CHUNK_SCHEMA_ID, FIRST_SCHEMA_ID } from '@niobe/grid';

/**
 * The cells in which a vertex's neighbours are listed, one for each edge type and direction:
 *
 *     adjacency cell   key: the vertex's id. Degree, id of the newest chunk, and the head: the latest references
 *     edge chunk       no key. Id of the chunk before, and references in ascending order (`EDGE_CHUNK_SCHEMA` of the grid)
 *
 * All of them lie in the vertex's partition. The vertex's own cell is not touched by its edges.
 */

/** Seen from a vertex: edges that leave it, that come to it, or both. */
export type Direction = 'out' | 'in' | 'both';

/** References in an adjacency cell; one more and they move to a chunk. */
export const HEAD_REFS_MAX = 16;

const FIELDS: Readonly<Record<string, FieldDeclaration>> = {
  degree: { type: 'u32' },
  chunk: { type: 'id', optional: true },
  refs: { type: 'id', array: true, maxItems: HEAD_REFS_MAX },
};

/** Schema of the adjacency cells of an edge type in one direction. */
export function adjacencySchema(edge: string, direction: Direction): SchemaDeclaration {
  return { name: adjacencyName(edge, direction), key: 'id', fields: FIELDS };
}

export function adjacencyName(edge: string, direction: Direction): string {
  return `edge.${edge}.${direction}`;
}

const compared = new WeakMap<CompiledSchema, boolean>();

/** True if cells of this schema are adjacency cells, which only links may write. Asked again it is O(1). */
export function isAdjacency(schema: CompiledSchema): boolean {
  if (schema.keyType !== 'id') return false;
  const known = compared.get(schema);
  if (known !== undefined) return known;
  const is = compareRevisions({ name: schema.name, key: 'id', fields: FIELDS }, schema.declaration) === 'equal';
  compared.set(schema, is);
  return is;
}

/** Reads and writes the bodies of all adjacency cells: they are alike, whatever their edge type. */
export const ADJACENCY_BODY: CompiledSchema = compileSchema(FIRST_SCHEMA_ID, 1, adjacencySchema('any', 'both'));

/** Index of each field in {@link ADJACENCY_BODY}. */
export const ADJACENCY_FIELD = { degree: 0, chunk: 1, refs: 2 } as const;

/** Reads and writes the bodies of edge chunks. */
export const CHUNK_BODY: CompiledSchema = compileSchema(EDGE_CHUNK_SCHEMA_ID, 1, EDGE_CHUNK_SCHEMA);

/** Index of each field in {@link CHUNK_BODY}. */
export const CHUNK_FIELD = { next: 0, refs: 1 } as const;
