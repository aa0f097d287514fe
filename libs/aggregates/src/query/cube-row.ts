import { formatDecimal, type CompiledSchema } from '@niobe/cells';
import type { Cube, Dimension, DimensionSet, Measure } from '../cube/cube.ts';
import type { DimensionValue } from '../cube/group-key.ts';
import { isoTime } from './cube-question.ts';

/** A row of an answer before it is written: exact values, decimals scaled. */
export interface CubeRow {
  /** First millisecond of its pane; of the first of its panes where they are merged. */
  readonly paneMs: number;
  readonly dimensions: readonly DimensionValue[];
  /** Null where no event had a value. */
  readonly measures: (number | bigint | null)[];
}

/** The row of a cell: `pane`, dimensions, measures, in the order of its schema. */
export function rowOf(
  cube: Cube,
  set: DimensionSet,
  schema: CompiledSchema,
  body: Uint8Array,
  at: number,
  length: number,
): CubeRow {
  const firstMeasure = 1 + set.dimensions.length;
  return {
    paneMs: schema.readNumber(body, at, 0),
    dimensions: set.dimensions.map(({ kind }, index) =>
      kind === 'text'
        ? (schema.read(body, at, length, 1 + index) as string | null)
        : exactValue(schema, body, at, 1 + index),
    ),
    measures: cube.measures.map((_, index) => exactValue(schema, body, at, firstMeasure + index)),
  };
}

function exactValue(schema: CompiledSchema, body: Uint8Array, at: number, field: number): number | bigint | null {
  const value = schema.readNumber(body, at, field);
  if (Number.isNaN(value)) return null;
  const { type } = schema.fields[field]!.declaration;
  return type === 'f64' || Number.isSafeInteger(value) ? value : schema.readBigint(body, at, field);
}

/** Adds the measures of another pane of the same group. */
export function mergeRow(cube: Cube, into: CubeRow, { measures }: CubeRow): void {
  for (let m = 0; m < measures.length; m++)
    into.measures[m] = joined(cube.measures[m]!, into.measures[m]!, measures[m]!);
}

function joined({ kind }: Measure, a: number | bigint | null, b: number | bigint | null): number | bigint | null {
  if (a === null || b === null) return a ?? b;
  if (kind === 'min') return b < a ? b : a;
  if (kind === 'max') return b > a ? b : a;
  return exactSum(a, b);
}

function exactSum(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b;
  const sum = BigInt(a) + BigInt(b);
  const number = Number(sum);
  return Number.isSafeInteger(number) ? number : sum;
}

/** A JSON value of an answer. */
export type AnswerValue = string | number | boolean | null;

/** Rows as they are answered: decimals as text with their digits, integers beyond 2^53 as text, times in ISO. */
export function answerRow(
  cube: Cube,
  set: DimensionSet,
  row: CubeRow,
  merged: boolean,
  final: boolean,
): Record<string, AnswerValue> {
  const answer: Record<string, AnswerValue> = {};
  if (!merged && cube.windowMs > 0) answer['pane'] = isoTime(row.paneMs);
  set.dimensions.forEach(
    (dimension, index) => (answer[dimension.name] = dimensionAnswer(dimension, row.dimensions[index]!)),
  );
  cube.measures.forEach((measure, index) => (answer[measure.name] = measureAnswer(measure, row.measures[index]!)));
  answer['final'] = final;
  return answer;
}

function dimensionAnswer({ kind, scale }: Dimension, value: DimensionValue): AnswerValue {
  if (value === null || typeof value === 'string') return value;
  if (kind === 'bool') return value === 1 || value === true;
  if (kind === 'timestamp') return isoTime(Number(value));
  return kind === 'decimal' ? formatDecimal(value as number | bigint, scale) : integerAnswer(value as number | bigint);
}

function measureAnswer({ isDecimal, scale, field }: Measure, value: number | bigint | null): AnswerValue {
  if (value === null) return null;
  if (isDecimal) return formatDecimal(value, scale);
  return field.type === 'timestamp' ? isoTime(Number(value)) : integerAnswer(value);
}

function integerAnswer(value: number | bigint): AnswerValue {
  return typeof value === 'bigint' ? value.toString() : value;
}
