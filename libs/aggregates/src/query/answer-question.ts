import { encodeScalar, formatDecimal, type Clause, type CompiledSchema, type ScalarValue } from '@niobe/cells';
import { isNiobeError, NiobeError, type Clock } from '@niobe/kernel';
import { PANE_FIELD } from '../cube/cube.ts';
import { groupKey } from '../cube/group-key.ts';
import { paneOf } from '../cube/window.ts';
import type { SchemaOf } from '../fold/folder.ts';
import type { CellGrid } from '../lane/cell-grid.ts';
import { isoTime, type CubeQuestion, type Filter } from './cube-question.ts';
import { answerRow, mergeRow, rowOf, type AnswerValue, type CubeRow } from './cube-row.ts';
import { cursorAfter, rowAtCursor, rowOrder, type RowOrder } from './row-order.ts';
import type { Watermarks } from './watermarks.ts';

/**
 * Answers a question from the cells of the grid, and from nothing else.
 *
 * Where every dimension has a filter and the panes are few, the cells are asked for by key; else all partitions are scanned with the
 * filters and the range as a predicate that runs where the cells are. Only as many rows are kept as the page needs, except when panes
 * are merged: then every group is, up to {@link GROUPS_MAX}.
 */

/** Groups that one merged answer may touch. */
export const GROUPS_MAX = 200_000;
/** Cells asked for by key instead of by scan, at most. */
const KEYS_MAX = 1_440;
/** One round of a scan, or a getMany, with its repetitions. */
const READ_DEADLINE_MS = 10_000;

/** An answer, ready for JSON. */
export interface CubeAnswer {
  readonly rows: Record<string, AnswerValue>[];
  /** Ask again with it for the next page; absent on the last. */
  readonly cursor?: string;
  /** Everything that was visible at this moment is in the answer. */
  readonly asOf: string;
}

/** What answering needs. */
export interface AnswerParts {
  readonly grid: CellGrid;
  readonly schemaOf: SchemaOf;
  readonly watermarks: Watermarks;
  readonly clock: Clock;
}

/** Throws `BAD_REQUEST` for a foreign cursor or too many groups, and what reading the grid throws. */
export async function answerQuestion(question: CubeQuestion, parts: AnswerParts): Promise<CubeAnswer> {
  const asOf = isoTime(parts.clock.nowMs());
  const order = rowOrder(question);
  const after = question.cursor === null ? null : rowAtCursor(question, question.cursor);
  const collector = question.merged
    ? new MergingCollector(question, order, after)
    : new PageCollector(question.limit, order, after);
  const watermarkMs = await parts.watermarks.of(question.cube);
  await readRows(narrowed(question, after), parts, (row) => collector.add(row));
  const page = collector.page();
  const rows = page.slice(0, question.limit);
  const isFinal = finality(question, watermarkMs);
  const answered = rows.map((row) => answerRow(question.cube, question.set, row, question.merged, isFinal(row)));
  const last = rows.at(-1);
  return page.length > rows.length && last !== undefined
    ? { rows: answered, cursor: cursorAfter(question, last), asOf }
    : { rows: answered, asOf };
}

/** The question whose range begins where the page does, if panes are in order: cells before need not be looked at again. */
function narrowed(question: CubeQuestion, after: CubeRow | null): CubeQuestion {
  const byPane =
    !question.merged && question.cube.windowMs > 0 && (question.orderBy === null || question.orderBy === 'pane');
  if (after === null || !byPane) return question;
  const { fromMs, toMs, descending } = question;
  if (!descending) return { ...question, fromMs: Math.max(fromMs ?? after.paneMs, after.paneMs) };
  const endMs = after.paneMs + question.cube.windowMs;
  return { ...question, toMs: Math.min(toMs ?? endMs, endMs) };
}

/** A pane is final when the watermark has passed its end by the grace; merged panes when that holds for the end of the range. */
function finality({ cube, merged, toMs }: CubeQuestion, watermarkMs: number): (row: CubeRow) => boolean {
  if (cube.windowMs === 0) return () => false;
  if (merged) return () => toMs !== null && watermarkMs >= toMs + cube.graceMs;
  return ({ paneMs }) => watermarkMs >= paneMs + cube.windowMs + cube.graceMs;
}

async function readRows(
  question: CubeQuestion,
  { grid, schemaOf }: AnswerParts,
  add: (row: CubeRow) => void,
): Promise<void> {
  const { cube, set } = question;
  const schema = schemaOf(set.schema.name);
  const keys = keysOf(question);
  if (keys !== null) {
    const bodies = await grid.getMany(schema, keys, READ_DEADLINE_MS);
    for (const body of bodies) if (body !== null) add(rowOf(cube, set, schema, body, 0, body.length));
    return;
  }
  await grid.scan(
    schema,
    clausesOf(question, schema),
    null,
    READ_DEADLINE_MS,
    (bytes, _keyAt, _keyBytes, bodyAt, bodyBytes) => add(rowOf(cube, set, schema, bytes, bodyAt, bodyBytes)),
  );
}

/** Keys of all cells the question can touch; null where a scan is better. */
function keysOf({ cube, set, filters, fromMs, toMs }: CubeQuestion): string[] | null {
  if (filters.length !== set.dimensions.length) return null;
  const values = set.dimensions.map((dimension) => filters.find((filter) => filter.dimension === dimension)!.value);
  if (cube.windowMs === 0) return withinBounds([groupKey(0, values)]);
  if (fromMs === null || toMs === null || (toMs - fromMs) / cube.windowMs > KEYS_MAX) return null;
  const keys: string[] = [];
  for (let pane = paneOf(fromMs, cube.windowMs); pane < paneOf(toMs, cube.windowMs); pane++)
    keys.push(groupKey(pane, values));
  return withinBounds(keys);
}

const KEY_BYTES_MAX = 512;

/** A value that is longer than any declared one makes a key that no cell can have. */
function withinBounds(keys: string[]): string[] {
  return keys.filter((key) => Buffer.byteLength(key) <= KEY_BYTES_MAX);
}

function clausesOf({ filters, fromMs, toMs }: CubeQuestion, schema: CompiledSchema): Clause[] {
  const pane = schema.field(PANE_FIELD);
  const clauses = filters.map((filter) => clauseOf(filter, schema));
  if (fromMs !== null) clauses.push({ field: pane.index, op: 'ge', value: encodeScalar(pane, fromMs) });
  if (toMs !== null) clauses.push({ field: pane.index, op: 'lt', value: encodeScalar(pane, toMs) });
  return clauses;
}

const NO_VALUE = new Uint8Array(0);

function clauseOf({ dimension, value }: Filter, schema: CompiledSchema): Clause {
  const field = schema.field(dimension.name);
  if (value === null) return { field: field.index, op: 'null', value: NO_VALUE };
  const shown: ScalarValue =
    dimension.kind === 'decimal' ? formatDecimal(value as number | bigint, dimension.scale) : value;
  try {
    return { field: field.index, op: 'eq', value: encodeScalar(field, shown) };
  } catch (error) {
    if (!isNiobeError(error)) throw error;
    throw new NiobeError('BAD_REQUEST', `${dimension.name}: no value of this dimension: ${error.message}`, {
      path: dimension.name,
    });
  }
}

/** Keeps the rows of one page and one more, which says that there is another page. */
class PageCollector {
  readonly #limit: number;
  readonly #order: RowOrder;
  readonly #after: CubeRow | null;
  #rows: CubeRow[] = [];
  /** The last row of a full page: what is behind it does not matter. */
  #worst: CubeRow | null = null;

  constructor(limit: number, order: RowOrder, after: CubeRow | null) {
    this.#limit = limit;
    this.#order = order;
    this.#after = after;
  }

  add(row: CubeRow): void {
    if (this.#after !== null && this.#order(row, this.#after) <= 0) return;
    if (this.#worst !== null && this.#order(row, this.#worst) > 0) return;
    this.#rows.push(row);
    if (this.#rows.length > 2 * this.#limit + SPARE_ROWS) this.#cut();
  }

  #cut(): void {
    this.#rows.sort(this.#order);
    this.#rows.length = Math.min(this.#rows.length, this.#limit + 1);
    this.#worst = this.#rows.length > this.#limit ? this.#rows.at(-1)! : null;
  }

  /** In order; one row more than the limit if there are so many. */
  page(): CubeRow[] {
    this.#cut();
    return this.#rows;
  }
}

const SPARE_ROWS = 1_024;

/** Joins the panes of each group. */
class MergingCollector {
  readonly #question: CubeQuestion;
  readonly #page: PageCollector;
  readonly #groups = new Map<string, CubeRow>();

  constructor(question: CubeQuestion, order: RowOrder, after: CubeRow | null) {
    this.#question = question;
    this.#page = new PageCollector(question.limit, order, after);
  }

  add(row: CubeRow): void {
    const key = groupKey(0, row.dimensions);
    const group = this.#groups.get(key);
    if (group !== undefined) return mergeRow(this.#question.cube, group, row);
    if (this.#groups.size === GROUPS_MAX)
      throw new NiobeError(
        'BAD_REQUEST',
        `more than ${GROUPS_MAX} groups would be merged; add a filter or ask for panes=each`,
      );
    this.#groups.set(key, { ...row, paneMs: 0 });
  }

  page(): CubeRow[] {
    for (const row of this.#groups.values()) this.#page.add(row);
    return this.#page.page();
  }
}
