import { createHash } from 'node:crypto';
import { NiobeError } from '@niobe/kernel';
import type { DimensionValue } from '../cube/group-key.ts';
import type { CubeQuestion } from './cube-question.ts';
import type { CubeRow } from './cube-row.ts';

/**
 * The total order of a question's rows: the wished field, then the group, then the pane. A page's cursor holds the last row's place in
 * that order, so the next page begins behind it whatever has changed in between; it needs no memory of the server.
 */

type Value = DimensionValue;

/** Compares two rows of a question. */
export type RowOrder = (a: CubeRow, b: CubeRow) => number;

/** The order that a question asks for. */
export function rowOrder(question: CubeQuestion): RowOrder {
  const valueOf = orderValueOf(question);
  const sign = question.descending ? -1 : 1;
  return (a, b) => sign * compareValues(valueOf(a), valueOf(b)) || compareGroups(a, b);
}

function orderValueOf({ orderBy, cube, set, merged }: CubeQuestion): (row: CubeRow) => Value {
  if (orderBy === 'pane' || (orderBy === null && !merged)) return (row) => row.paneMs;
  const dimension = set.dimensions.findIndex(({ name }) => name === orderBy);
  if (dimension >= 0) return (row) => row.dimensions[dimension]!;
  const measure = cube.measures.findIndex(({ name }) => name === orderBy);
  return measure >= 0 ? (row) => row.measures[measure]! : () => null;
}

function compareGroups(a: CubeRow, b: CubeRow): number {
  for (let i = 0; i < a.dimensions.length; i++) {
    const order = compareValues(a.dimensions[i]!, b.dimensions[i]!);
    if (order !== 0) return order;
  }
  return a.paneMs - b.paneMs;
}

/** Null is before everything; numbers and bigints compare exactly. */
function compareValues(a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

const FINGERPRINT_DIGITS = 12;
const CURSOR_CHARS_MAX = 8192;

function fingerprint({ cube, set, filters, fromMs, toMs, merged, orderBy, descending }: CubeQuestion): string {
  const asked = [
    cube.name,
    cube.revision,
    set.index,
    filters.map(({ dimension, value }) => [dimension.name, typeof value, String(value)]),
    fromMs,
    toMs,
    merged,
    orderBy,
    descending,
  ];
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, FINGERPRINT_DIGITS);
}

/** The cursor of the page that begins behind `row`. */
export function cursorAfter(question: CubeQuestion, row: CubeRow): string {
  const place = [fingerprint(question), row.paneMs, row.dimensions.map(packed), row.measures.map(packed)];
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** The place that a cursor names, as a row. Throws `BAD_REQUEST` for one of another question or none at all. */
export function rowAtCursor(question: CubeQuestion, cursor: string): CubeRow {
  const place = parsePlace(cursor);
  if (place === null || place[0] !== fingerprint(question))
    throw new NiobeError('BAD_REQUEST', 'cursor: not one of this question; ask again without it', { path: 'cursor' });
  const [, paneMs, dimensions, measures] = place;
  return { paneMs, dimensions: dimensions.map(unpacked), measures: measures.map(unpacked) as CubeRow['measures'] };
}

type Packed = string | number | boolean | null | { readonly n: string };

function packed(value: Value): Packed {
  return typeof value === 'bigint' ? { n: value.toString() } : value;
}

function unpacked(value: Packed): Value {
  return typeof value === 'object' && value !== null ? BigInt(value.n) : value;
}

type Place = readonly [string, number, readonly Packed[], readonly Packed[]];

function parsePlace(cursor: string): Place | null {
  if (cursor.length > CURSOR_CHARS_MAX) return null;
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return isPlace(place) ? place : null;
  } catch {
    return null;
  }
}

function isPlace(place: unknown): place is Place {
  if (!Array.isArray(place) || place.length !== 4 || typeof place[1] !== 'number') return false;
  return [place[2], place[3]].every((values: unknown) => Array.isArray(values) && values.every(isPacked));
}

function isPacked(value: unknown): boolean {
  if (typeof value !== 'object' || value === null)
    return value === null || ['string', 'number', 'boolean'].includes(typeof value);
  return 'n' in value && typeof value.n === 'string' && /^-?\d{1,40}$/.test(value.n);
}
