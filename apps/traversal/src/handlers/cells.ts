import type { CompiledSchema, SchemaDeclaration, SchemaTable } from '@niobe/cells';
import type { EdgeType } from '@niobe/graph';
import type { Cell, GridClient, Version } from '@niobe/grid';
import { assert, NiobeError } from '@niobe/kernel';
import type { Routes } from '@niobe/service';
import { recordJson } from './record-json.ts';

/**
 * `GET /v1/cells/:schema/:key`: one cell as it is stored. `GET /v1/edges/:edge/:from/:to`: the counters of one edge, found by the ids of its
 * two vertices.
 */

/** What the routes need. */
export interface CellParts {
  /** Cell schemas with a key. */
  readonly vertices: readonly SchemaDeclaration[];
  readonly edges: readonly EdgeType[];
  readonly client: GridClient;
  /** Knows all schemas of vertices and edges. */
  readonly schemas: SchemaTable;
}

interface CellRequest {
  readonly Params: { schema: string; key: string };
}

interface EdgeRequest {
  readonly Params: { edge: string; from: string; to: string };
}

/** The routes. */
export function cellRoutes(parts: CellParts): Routes {
  return (app) => {
    app.get<CellRequest>('/v1/cells/:schema/:key', async ({ params }) => {
      const vertices = parts.vertices.map(({ name }) => name);
      if (!vertices.includes(params.schema)) throw nothing('schema', 'cell schema', vertices);
      const schema = schemaOf(parts, params.schema);
      const key = readKey(schema, params.key, 'key');
      const cell = await parts.client.get(schema, key);
      if (cell === null) throw noCell('key', schema);
      return { schema: schema.name, key, record: recordJson(schema, cell.record), ...facts(cell) };
    });
    app.get<EdgeRequest>('/v1/edges/:edge/:from/:to', async ({ params }) => {
      const edge = parts.edges.find(({ name }) => name === params.edge);
      if (edge === undefined)
        throw nothing(
          'edge',
          'edge type',
          parts.edges.map(({ name }) => name),
        );
      return readEdge(parts, edge, params);
    });
  };
}

async function readEdge(
  parts: CellParts,
  edge: EdgeType,
  params: EdgeRequest['Params'],
): Promise<Record<string, unknown>> {
  if (edge.counterSchema === null)
    throw new NiobeError('BAD_REQUEST', `edge: ${edge.name} has no counters; POST /v1/traverse tells its neighbours`, {
      path: 'edge',
    });
  const [from, to] = await Promise.all([
    readVertex(parts, edge.from, params.from, 'from'),
    readVertex(parts, edge.to, params.to, 'to'),
  ]);
  const schema = schemaOf(parts, edge.counterSchema);
  const pair = edge.isPairSwapped(from.id, to.id) ? `${to.id}:${from.id}` : `${from.id}:${to.id}`;
  const cell = await parts.client.get(schema, pair);
  if (cell === null) throw new NiobeError('NOT_FOUND', `there is no edge ${edge.name} between these vertices`);
  return { edge: edge.name, from: from.key, to: to.key, counters: recordJson(schema, cell.record), ...facts(cell) };
}

/** Key and id of one end; asked in one tick, both travel together. */
async function readVertex(
  parts: CellParts,
  name: string,
  text: string,
  path: string,
): Promise<{ readonly key: string | number; readonly id: number }> {
  const schema = schemaOf(parts, name);
  const key = readKey(schema, text, path);
  const cell = await parts.client.get(schema, key);
  if (cell === null) throw noCell(path, schema);
  return { key, id: cell.id };
}

/** What an answer says of a cell besides its fields. */
function facts({ version, expiresS }: Cell): { version: Version; expires?: string } {
  return expiresS === 0 ? { version } : { version, expires: new Date(expiresS * 1000).toISOString() };
}

function schemaOf({ schemas }: CellParts, name: string): CompiledSchema {
  const schema = schemas.byName(name);
  assert(schema !== undefined, `schema ${name} was registered at the start`);
  return schema;
}

/** A key as it stands in a path. */
function readKey({ keyType, name }: CompiledSchema, text: string, path: string): string | number {
  if (keyType === 'text') return text;
  const key = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(key)) return key;
  throw new NiobeError('BAD_REQUEST', `${path}: the keys of ${name} are integers within +-(2^53 - 1)`, { path });
}

function nothing(path: string, what: string, names: readonly string[]): NiobeError {
  const known = names.length === 0 ? 'none' : names.join(', ');
  return new NiobeError('NOT_FOUND', `${path}: there is no such ${what}; there are ${known}`, { path });
}

function noCell(path: string, { name }: CompiledSchema): NiobeError {
  return new NiobeError('NOT_FOUND', `${path}: there is no ${name} of this key`, { path });
}
