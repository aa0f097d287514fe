import { parseDecimal } from '@niobe/cells';
import { parseTime } from '@niobe/events';
import { isNiobeError, NiobeError } from '@niobe/kernel';
import type { Cube, Dimension, DimensionSet } from '../cube/cube.ts';
import type { DimensionValue } from '../cube/group-key.ts';
import { RESERVED_NAMES } from '../cube/cube-declaration.ts';

/**
 * What `GET /v1/cubes/:cube` asks, read from its parameters. What is wrong is refused with what would be possible: `NOT_FOUND` for names
 * that do not exist, `BAD_REQUEST` for values.
 *
 * A filter's value is taken as written; `null` is the group without a value, and a value in JSON quotes is that text, so `"null"` asks
 * for the text null.
 */

const LIMIT_DEFAULT = 100;
export const LIMIT_MAX = 10_000;

/** Query parameters as an HTTP server gives them. */
export type QuestionParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A dimension that must have this value. */
export interface Filter {
  readonly dimension: Dimension;
  /** Decimals scaled, timestamps in Unix ms. */
  readonly value: DimensionValue;
}

/** A question about one dimension set of one cube. */
export interface CubeQuestion {
  readonly cube: Cube;
  readonly set: DimensionSet;
  readonly filters: readonly Filter[];
  /** First millisecond of the first pane, or null: from the start. */
  readonly fromMs: number | null;
  /** First millisecond after the last pane, or null: to the end. */
  readonly toMs: number | null;
  /** All panes in one row per group. */
  readonly merged: boolean;
  /** A dimension, a measure or `pane`; null: by group. */
  readonly orderBy: string | null;
  readonly descending: boolean;
  readonly limit: number;
  /** Opaque; where the page before ended. */
  readonly cursor: string | null;
}

/** Reads a question. Throws `NOT_FOUND` or `BAD_REQUEST`. */
export function readQuestion(cube: Cube, parameters: QuestionParameters): CubeQuestion {
  const given = single(parameters);
  const set = readSet(cube, given.get('by'));
  const panes = oneOf(given.get('panes') ?? 'each', 'panes', ['each', 'merged']);
  const order = given.get('order') ?? null;
  const merged = panes === 'merged';
  const question: CubeQuestion = {
    cube,
    set,
    filters: readFilters(set, given),
    fromMs: readBound(cube, given.get('from'), 'from'),
    toMs: readBound(cube, given.get('to'), 'to'),
    merged,
    orderBy: order === null ? null : readOrder(cube, set, merged, order.replace(/^-/, '')),
    descending: order?.startsWith('-') ?? false,
    limit: readLimit(given.get('limit')),
    cursor: given.get('cursor') ?? null,
  };
  if (question.fromMs !== null && question.toMs !== null && question.fromMs >= question.toMs)
    throw bad('to', 'must lie after from; a range holds from, but not to');
  return question;
}

function single(parameters: QuestionParameters): Map<string, string> {
  const given = new Map<string, string>();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (typeof value !== 'string') throw bad(name.slice(0, 64), 'may be given once');
    given.set(name, value);
  }
  return given;
}

function setText({ dimensions }: DimensionSet): string {
  return `[${dimensions.map(({ name }) => name).join(',')}]`;
}

function readSet(cube: Cube, by: string | undefined): DimensionSet {
  const wanted = (by ?? '').split(',').filter((name) => name !== '');
  const set = cube.sets.find(
    ({ dimensions }) => dimensions.length === wanted.length && dimensions.every(({ name }) => wanted.includes(name)),
  );
  if (set !== undefined) return set;
  throw new NiobeError(
    'NOT_FOUND',
    `by: ${cube.name} has no such set of dimensions; it has ${cube.sets.map(setText).join(' ')}`,
    {
      path: 'by',
    },
  );
}

function readFilters(set: DimensionSet, given: ReadonlyMap<string, string>): Filter[] {
  const filters: Filter[] = [];
  for (const [name, text] of given) {
    if (RESERVED_NAMES.has(name)) continue;
    const dimension = set.dimensions.find((known) => known.name === name);
    if (dimension === undefined) throw noDimension(set, name);
    filters.push({ dimension, value: readValue(dimension, text) });
  }
  return filters;
}

function noDimension(set: DimensionSet, name: string): NiobeError {
  const path = /^[\w-]{1,64}$/.test(name) ? name : 'parameter';
  const names = set.dimensions.map((dimension) => dimension.name).join(', ');
  return new NiobeError(
    'NOT_FOUND',
    `${path}: no dimension of ${setText(set)}; to filter by: ${names === '' ? 'none' : names}`,
    { path },
  );
}

function readValue(dimension: Dimension, text: string): DimensionValue {
  if (text === 'null') return null;
  const { kind, name } = dimension;
  switch (kind) {
    case 'text':
      return text.startsWith('"') ? readQuoted(name, text) : wellFormed(name, text);
    case 'bool':
      return oneOf(text, name, ['true', 'false', 'null']) === 'true';
    case 'timestamp':
      return readTime(name, text);
    case 'integer':
      if (/^-?\d{1,20}$/.test(text)) return narrow(BigInt(text));
      throw bad(name, 'expected an integer or null');
    case 'decimal':
      return readDecimal(dimension, text);
  }
}

function readQuoted(name: string, text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'string') return wellFormed(name, value);
  } catch {
    // Told below.
  }
  throw bad(name, 'a value that begins with a quote is read as JSON text, and this is none');
}

function wellFormed(name: string, text: string): string {
  if (text.isWellFormed()) return text;
  throw bad(name, 'the text has half of a surrogate pair');
}

function readDecimal({ name, scale }: Dimension, text: string): number | bigint {
  try {
    return parseDecimal(text, scale);
  } catch (error) {
    if (!isNiobeError(error)) throw error;
    throw bad(name, `expected a decimal with at most ${scale} digits after the point, or null`);
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

function readTime(name: string, text: string): number {
  const timeMs = /^-?\d{1,15}$/.test(text) ? Number(text) : parseTime(DATE.test(text) ? `${text}T00:00:00Z` : text);
  if (Number.isFinite(timeMs)) return timeMs;
  throw bad(name, 'expected a time such as 2024-05-31T12:00:00Z, a date, or Unix milliseconds');
}

function readBound(cube: Cube, text: string | undefined, name: 'from' | 'to'): number | null {
  if (text === undefined) return null;
  if (cube.windowMs === 0) throw bad(name, `${cube.name} counts all time in one pane, so it knows no ${name}`);
  const timeMs = readTime(name, text);
  if (timeMs % cube.windowMs === 0) return timeMs;
  const before = Math.floor(timeMs / cube.windowMs) * cube.windowMs;
  const possible = [before, before + cube.windowMs].map(isoTime).join(' or ');
  throw bad(name, `must be aligned to the window of ${cube.declaration.window}, in UTC: ${possible}`);
}

/** ISO text of a time; beyond what a date can hold, its milliseconds. */
export function isoTime(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs);
}

function readOrder(cube: Cube, { dimensions }: DimensionSet, merged: boolean, name: string): string {
  const possible = [...cube.measures, ...dimensions].map((known) => known.name);
  if (!merged && cube.windowMs > 0) possible.push('pane');
  if (possible.includes(name)) return name;
  throw bad('order', `possible are ${possible.join(', ')}, each also with a leading -`);
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return LIMIT_DEFAULT;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw bad('limit', `expected 1 to ${LIMIT_MAX}`);
}

function oneOf(text: string, name: string, possible: readonly string[]): string {
  if (possible.includes(text)) return text;
  throw bad(name, `possible are ${possible.join(', ')}`);
}

function bad(path: string, why: string): NiobeError {
  return new NiobeError('BAD_REQUEST', `${path}: ${why}`, { path });
}
