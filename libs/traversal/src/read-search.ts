import type { SchemaDeclaration } from '@niobe/cells';
import type { Direction, EdgeType } from '@niobe/graph';
import { NiobeError } from '@niobe/kernel';
import {
  BUDGET_BYTES,
  BUDGET_BYTES_MAX,
  BUDGET_MS,
  BUDGET_MS_MAX,
  BUDGET_VERTICES,
  BUDGET_VERTICES_MAX,
  HOPS_MAX,
  LIMIT_DEFAULT,
  LIMIT_MAX,
  REPEAT_MAX,
  STARTS_MAX,
} from './limits.ts';
import type { Hop, Search, SearchBudget, SearchOrder, StartVertex } from './search.ts';

/**
 * Reads a search from parsed JSON. What is wrong is refused with its path and with what would be possible: `UNKNOWN_SCHEMA`,
 * `UNKNOWN_EDGE`, or `SCHEMA_VIOLATION` for everything else.
 *
 *     { "start": [{ "schema", "key" }], "hops": [{ "edge", "direction", "repeat"?: 1 }], "return": "vertices" | "levels",
 *       "count"?: false, "orderBy"?: "count" | "key" | "level", "limit"?: 100, "budget"?: { "vertices", "bytes", "ms" } }
 */

type Fields = Readonly<Record<string, unknown>>;

const KEY_CHARS_MAX = 512;

/** Reads a search. `cells` are the vertex schemas of the deployment. O(request). */
export function readSearch(body: unknown, edges: readonly EdgeType[], cells: readonly SchemaDeclaration[]): Search {
  const allowed = ['start', 'hops', 'return', 'count', 'orderBy', 'limit', 'budget'];
  const fields = objectAt(body, '', allowed);
  const start = listAt(fields['start'], 'start', STARTS_MAX).map((vertex, i) =>
    readStart(vertex, `start[${i}]`, cells),
  );
  const hops = listAt(fields['hops'], 'hops', HOPS_MAX).map((hop, i) => readHop(hop, `hops[${i}]`, edges));
  checkFit(start, hops);
  const returns = oneOf(fields['return'], 'return', ['vertices', 'levels'] as const);
  const isCounting = booleanAt(fields['count'], 'count');
  if (returns === 'levels') refuseRowWishes(fields);
  return {
    start,
    hops,
    returns,
    isCounting,
    orderBy: readOrder(fields['orderBy'], isCounting),
    limit: integerAt(fields['limit'], 'limit', LIMIT_MAX, LIMIT_DEFAULT),
    budget: readBudget(fields['budget']),
  };
}

function readStart(vertex: unknown, path: string, cells: readonly SchemaDeclaration[]): StartVertex {
  const { schema: name, key } = objectAt(vertex, path, ['schema', 'key']);
  const schema = cells.find((known) => known.name === name);
  if (schema === undefined) {
    const names = listed(cells.map((known) => known.name));
    throw new NiobeError('UNKNOWN_SCHEMA', `${path}.schema: no such vertex schema; there are ${names}`, {
      path: `${path}.schema`,
    });
  }
  return { schema: schema.name, key: readKey(key, schema, `${path}.key`) };
}

function readKey(key: unknown, schema: SchemaDeclaration, path: string): string | number {
  if (schema.key === 'integer') {
    if (typeof key === 'number' && Number.isSafeInteger(key)) return key;
    throw wrong(path, `the keys of ${schema.name} are integers within +-(2^53 - 1)`);
  }
  if (typeof key === 'string' && key.isWellFormed() && key.length <= KEY_CHARS_MAX) return key;
  throw wrong(path, `the keys of ${schema.name} are texts of at most ${KEY_CHARS_MAX} bytes`);
}

function readHop(hop: unknown, path: string, edges: readonly EdgeType[]): Hop {
  const fields = objectAt(hop, path, ['edge', 'direction', 'repeat']);
  const edge = edges.find((known) => known.name === fields['edge']);
  if (edge === undefined) {
    const names = listed(edges.map((known) => known.name));
    throw new NiobeError('UNKNOWN_EDGE', `${path}.edge: no such edge type; there are ${names}`, {
      path: `${path}.edge`,
    });
  }
  return {
    edge,
    direction: readDirection(fields['direction'], `${path}.direction`, edge),
    repeat: integerAt(fields['repeat'], `${path}.repeat`, REPEAT_MAX, 1),
  };
}

function readDirection(value: unknown, path: string, edge: EdgeType): Direction {
  if (edge.directed) return oneOf(value, path, ['out', 'in', 'both'] as const);
  if (value === 'both') return value;
  throw wrong(path, `${edge.name} is undirected: expected both`);
}

/** Follows the schemas that vertices can have from hop to hop. */
function checkFit(start: readonly StartVertex[], hops: readonly Hop[]): void {
  let schemas = new Set(start.map(({ schema }) => schema));
  for (const [i, hop] of hops.entries()) {
    const reached = reachable(schemas, hop);
    if (reached.size === 0) {
      const fitting = listed([...beginnings(hop)]);
      throw wrong(
        `hops[${i}].edge`,
        `${hop.edge.name} in direction ${hop.direction} leads from ${fitting}, and these vertices are ${listed([...schemas])}`,
      );
    }
    schemas = reached;
  }
}

/** Schemas of the vertices that a hop can reach, at any of its levels. */
function reachable(from: ReadonlySet<string>, hop: Hop): Set<string> {
  const reached = new Set<string>();
  let frontier = from;
  for (let level = 0; level < hop.repeat; level++) {
    const next = step(frontier, hop);
    const before = reached.size;
    for (const schema of next) reached.add(schema);
    if (reached.size === before) break;
    frontier = next;
  }
  return reached;
}

function step(from: ReadonlySet<string>, { edge, direction }: Hop): Set<string> {
  const next = new Set<string>();
  if (direction !== 'in' && from.has(edge.from)) next.add(edge.to);
  if (direction !== 'out' && from.has(edge.to)) next.add(edge.from);
  return next;
}

function beginnings({ edge, direction }: Hop): Set<string> {
  if (direction === 'both') return new Set([edge.from, edge.to]);
  return new Set([direction === 'out' ? edge.from : edge.to]);
}

function refuseRowWishes(fields: Fields): void {
  for (const name of ['count', 'orderBy', 'limit'])
    if (fields[name] !== undefined) throw wrong(name, 'belongs to "return": "vertices"');
}

function readOrder(value: unknown, isCounting: boolean): SearchOrder {
  if (value === undefined) return isCounting ? 'count' : 'key';
  const order = oneOf(value, 'orderBy', ['count', 'key', 'level'] as const);
  if (order === 'count' && !isCounting) throw wrong('orderBy', 'an order by count needs "count": true');
  return order;
}

function readBudget(value: unknown): SearchBudget {
  const fields = value === undefined ? {} : objectAt(value, 'budget', ['vertices', 'bytes', 'ms']);
  return {
    vertices: integerAt(fields['vertices'], 'budget.vertices', BUDGET_VERTICES_MAX, BUDGET_VERTICES),
    bytes: integerAt(fields['bytes'], 'budget.bytes', BUDGET_BYTES_MAX, BUDGET_BYTES),
    ms: integerAt(fields['ms'], 'budget.ms', BUDGET_MS_MAX, BUDGET_MS),
  };
}

function objectAt(value: unknown, path: string, allowed: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(path, `expected an object with ${listed(allowed)}`);
  for (const name of Object.keys(value))
    if (!allowed.includes(name)) throw wrong(path, `a field that is not known; possible are ${listed(allowed)}`);
  return value as Fields;
}

function listAt(value: unknown, path: string, most: number): readonly unknown[] {
  if (Array.isArray(value) && value.length >= 1 && value.length <= most) return value;
  throw wrong(path, `expected a list of 1 to ${most}`);
}

function integerAt(value: unknown, path: string, most: number, absent: number): number {
  if (value === undefined) return absent;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw wrong(path, `expected an integer of 1 to ${most}`);
}

function booleanAt(value: unknown, path: string): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw wrong(path, 'expected true or false');
}

function oneOf<T extends string>(value: unknown, path: string, possible: readonly T[]): T {
  const found = possible.find((known) => known === value);
  if (found !== undefined) return found;
  throw wrong(path, `possible are ${listed(possible)}`);
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function wrong(path: string, why: string): NiobeError {
  return new NiobeError('SCHEMA_VIOLATION', path === '' ? why : `${path}: ${why}`, { path });
}
