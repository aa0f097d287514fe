import { SCALE_MAX, type ScalarType } from '@niobe/cells';

/**
 * What an `edges/*.json` file says: which vertices an edge joins, whether it has a direction, and what is counted along it. This file
 * checks the shape alone; whether the named vertices exist is checked where the edge meets the cells (compile-edge-types.ts).
 */

/** Types a counter may have. */
export type CounterType = Extract<ScalarType, 'i32' | 'i64' | 'u32' | 'u64' | 'f64' | 'decimal' | 'timestamp'>;

/** How what is told of an edge joins what is known of it. */
export type CounterMerge = 'add' | 'min' | 'max';

/** One number kept of every edge. */
export interface CounterDeclaration {
  readonly type: CounterType;
  /** Digits after the point of a `decimal`, 0 to 9. */
  readonly scale?: number;
  /** Default `add`; a `timestamp` has no sum and says `min` or `max`. */
  readonly merge?: CounterMerge;
}

/** One declared edge type. */
export interface EdgeDeclaration {
  readonly name: string;
  /** Cell schema of the vertices it leaves. */
  readonly from: string;
  /** Cell schema of the vertices it comes to. */
  readonly to: string;
  /** Default true. */
  readonly directed?: boolean;
  readonly counters?: Readonly<Record<string, CounterDeclaration>>;
}

/** Counters of one edge type, at most. */
const COUNTERS_MAX = 16;

const COUNTER_TYPES: readonly CounterType[] = ['i32', 'i64', 'u32', 'u64', 'f64', 'decimal', 'timestamp'];
const COUNTER_MERGES: readonly CounterMerge[] = ['add', 'min', 'max'];
const EDGE_KEYS: readonly string[] = ['name', 'from', 'to', 'directed', 'counters'];
const COUNTER_KEYS: readonly string[] = ['type', 'scale', 'merge'];
const EDGE_NAME = /^[a-z][a-z0-9_-]{0,39}$/;
const COUNTER_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

type Unread = Readonly<Record<string, unknown>>;

/** `value` as a declaration, or null; what is wrong is added to `problems`, each line with its path. */
export function readEdgeDeclaration(value: unknown, problems: string[]): EdgeDeclaration | null {
  const before = problems.length;
  if (isObject(value)) readEdge(value, problems);
  else problems.push('an edge type is an object with name, from and to');
  return problems.length === before ? (value as unknown as EdgeDeclaration) : null;
}

function readEdge(edge: Unread, problems: string[]): void {
  unknownKeys(edge, EDGE_KEYS, '', problems);
  if (typeof edge['name'] !== 'string' || !EDGE_NAME.test(edge['name']))
    problems.push('name: a lower-case letter, then up to 39 of a-z 0-9 _ -');
  for (const end of ['from', 'to'])
    if (typeof edge[end] !== 'string') problems.push(`${end}: the name of a cell schema`);
  if (edge['directed'] !== undefined && typeof edge['directed'] !== 'boolean')
    problems.push('directed: true or false; left out it is true');
  if (edge['counters'] !== undefined) readCounters(edge['counters'], problems);
}

function readCounters(counters: unknown, problems: string[]): void {
  if (!isObject(counters)) {
    problems.push('counters: an object of counter declarations by name');
    return;
  }
  const names = Object.keys(counters);
  if (names.length > COUNTERS_MAX) problems.push(`counters: at most ${COUNTERS_MAX}, not ${names.length}`);
  for (const name of names.slice(0, COUNTERS_MAX)) readCounter(name, counters[name], problems);
}

function readCounter(name: string, counter: unknown, problems: string[]): void {
  const path = `counters.${name.slice(0, 64)}`;
  if (!COUNTER_NAME.test(name)) problems.push(`${path}: a name is a letter, then up to 63 letters, digits and _`);
  if (!isObject(counter)) {
    problems.push(`${path}: an object with a type`);
    return;
  }
  unknownKeys(counter, COUNTER_KEYS, `${path}.`, problems);
  const { type, merge } = counter;
  if (!COUNTER_TYPES.includes(type as CounterType)) {
    problems.push(`${path}.type: one of ${COUNTER_TYPES.join(', ')}`);
    return;
  }
  readScale(counter, path, problems);
  if (merge !== undefined && !COUNTER_MERGES.includes(merge as CounterMerge))
    problems.push(`${path}.merge: one of ${COUNTER_MERGES.join(', ')}`);
  else if (type === 'timestamp' && (merge ?? 'add') === 'add')
    problems.push(`${path}.merge: a timestamp has no sum; say min or max`);
}

function readScale(counter: Unread, path: string, problems: string[]): void {
  const scale = counter['scale'];
  if (counter['type'] !== 'decimal') {
    if (scale !== undefined) problems.push(`${path}.scale: only a decimal has a scale`);
  } else if (!Number.isInteger(scale) || (scale as number) < 0 || (scale as number) > SCALE_MAX) {
    problems.push(`${path}.scale: a decimal says how many digits it keeps, 0 to ${SCALE_MAX}`);
  }
}

function unknownKeys(object: Unread, known: readonly string[], path: string, problems: string[]): void {
  for (const key of Object.keys(object))
    if (!known.includes(key)) problems.push(`${path}${key.slice(0, 64)}: not known; possible are ${known.join(', ')}`);
}

function isObject(value: unknown): value is Unread {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
