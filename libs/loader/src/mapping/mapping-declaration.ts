/**
 * What a `mappings/*.json` file says: which vertices and edges an event of each type becomes.
 *
 *     { "name": "shopping",
 *       "on": { "purchase": {
 *         "vertices": [{ "schema": "user", "key": "user", "set": { "country": "country" } }],
 *         "edges": [{ "edge": "purchased", "from": "user", "to": "product", "add": { "orders": 1 } }] } } }
 *
 * This file checks the shape alone; whether what is named exists and fits is checked in compile-mapping.ts.
 */

/** One declared mapping. */
export interface MappingDeclaration {
  readonly name: string;
  /** By event type. */
  readonly on: Readonly<Record<string, EventRuleDeclaration>>;
}

/** What an event of one type becomes. */
export interface EventRuleDeclaration {
  readonly vertices?: readonly VertexDeclaration[];
  readonly edges?: readonly EdgeDeclaration[];
}

/** A vertex: its schema, the event field that is its key, and where its fields come from. */
export interface VertexDeclaration {
  readonly schema: string;
  readonly key: string;
  readonly set?: Readonly<Record<string, string>>;
}

/** An edge: its type, the event fields that are the keys of its ends, and what is added to its counters. */
export interface EdgeDeclaration {
  readonly edge: string;
  readonly from: string;
  readonly to: string;
  readonly add?: Readonly<Record<string, string | number>>;
}

/** Receives what is wrong at a path. */
export type Report = (path: string, message: string) => void;

/** Event types of one mapping, at most. */
const EVENT_TYPES_MAX = 64;
/** Vertices, and edges, of one event, at most. */
const ITEMS_MAX = 16;
/** Fields set in a vertex, and counters added to, at most. */
const ASSIGNMENTS_MAX = 64;
const NAME = /^[a-z][a-z0-9_-]{0,39}$/;
const NAME_SHOWN = 64;

type Unread = Readonly<Record<string, unknown>>;

/** `value` as a declaration, or null where its shape is wrong; then everything that is wrong has been reported. */
export function readMappingDeclaration(value: unknown, report: Report): MappingDeclaration | null {
  let isRight = true;
  const check: Report = (path, message) => {
    isRight = false;
    report(path, message);
  };
  readMapping(value, check);
  return isRight ? (value as MappingDeclaration) : null;
}

function readMapping(value: unknown, report: Report): void {
  if (!isObject(value)) return report('', 'expected a JSON object with name and on');
  refuseUnknown(value, ['name', 'on'], '', report);
  if (typeof value['name'] !== 'string' || !NAME.test(value['name']))
    report('name', 'is no mapping name: a lower-case letter, then up to 39 of a-z 0-9 _ -');
  const { on } = value;
  if (!isObject(on)) return report('on', 'expected an object: what an event of each type becomes');
  const types = Object.entries(on);
  if (types.length === 0 || types.length > EVENT_TYPES_MAX) report('on', `names 1 to ${EVENT_TYPES_MAX} event types`);
  for (const [type, rule] of types.slice(0, EVENT_TYPES_MAX)) readRule(rule, `on.${shown(type)}`, report);
}

function readRule(rule: unknown, path: string, report: Report): void {
  if (!isObject(rule)) return report(path, 'expected an object with vertices, edges or both');
  refuseUnknown(rule, ['vertices', 'edges'], `${path}.`, report);
  const vertices = readList(rule['vertices'], `${path}.vertices`, report, readVertex);
  const edges = readList(rule['edges'], `${path}.edges`, report, readEdge);
  if (vertices + edges === 0) report(path, 'makes no vertex and no edge; leave the event type out');
}

type ReadItem = (item: Unread, path: string, report: Report) => void;

/** Returns how many items there are. */
function readList(list: unknown, path: string, report: Report, read: ReadItem): number {
  if (list === undefined) return 0;
  if (!Array.isArray(list) || list.length === 0 || list.length > ITEMS_MAX) {
    report(path, `expected a list of 1 to ${ITEMS_MAX}, or nothing`);
    return 1;
  }
  for (const [index, item] of list.entries()) {
    if (isObject(item)) read(item, `${path}[${index}]`, report);
    else report(`${path}[${index}]`, 'expected a JSON object');
  }
  return list.length;
}

function readVertex(vertex: Unread, path: string, report: Report): void {
  refuseUnknown(vertex, ['schema', 'key', 'set'], `${path}.`, report);
  readName(vertex['schema'], `${path}.schema`, 'a vertex schema', report);
  readName(vertex['key'], `${path}.key`, 'an event field', report);
  readAssignments(vertex['set'], `${path}.set`, report, (value, at) => readName(value, at, 'an event field', report));
}

function readEdge(edge: Unread, path: string, report: Report): void {
  refuseUnknown(edge, ['edge', 'from', 'to', 'add'], `${path}.`, report);
  readName(edge['edge'], `${path}.edge`, 'an edge type', report);
  readName(edge['from'], `${path}.from`, 'an event field', report);
  readName(edge['to'], `${path}.to`, 'an event field', report);
  readAssignments(edge['add'], `${path}.add`, report, (value, at) => {
    if (!Number.isSafeInteger(value)) readName(value, at, 'an event field or an integer', report);
  });
}

function readAssignments(
  assignments: unknown,
  path: string,
  report: Report,
  read: (value: unknown, path: string) => void,
): void {
  if (assignments === undefined) return;
  const entries = isObject(assignments) ? Object.entries(assignments) : [];
  if (entries.length === 0 || entries.length > ASSIGNMENTS_MAX)
    return report(path, `expected an object with 1 to ${ASSIGNMENTS_MAX} names, or nothing`);
  for (const [name, value] of entries) read(value, `${path}.${shown(name)}`);
}

function readName(value: unknown, path: string, what: string, report: Report): void {
  if (typeof value !== 'string' || value === '') report(path, `expected the name of ${what}`);
}

function refuseUnknown(object: Unread, known: readonly string[], path: string, report: Report): void {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) report(`${path}${shown(key)}`, `is not known; possible are ${known.join(', ')}`);
  }
}

function shown(name: string): string {
  return name.slice(0, NAME_SHOWN);
}

function isObject(value: unknown): value is Unread {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
