/**
 * What a benchmark reports: a candidate beside a reference, measured interleaved in one run, as medians with their spread and as a
 * ratio. An absolute figure without its reference says little on a shared machine.
 */
import { readFileSync } from 'node:fs';

/** One measured quantity. */
export interface Measure {
  readonly group: string;
  readonly measure: string;
  readonly unit: string;
  /** One value a round. */
  readonly candidate: readonly number[];
  /** One value a round; empty where nothing comparable exists. */
  readonly reference: readonly number[];
  /** Goal for the ratio, or for the candidate itself where there is no reference. */
  readonly goal?: Goal;
  /** What the reference is. */
  readonly against: string;
}

export interface Goal {
  readonly sense: 'at least' | 'at most';
  readonly value: number;
}

/** Runs candidate and reference in turn, `rounds` times, the order swapped every round. */
export async function interleaved(
  rounds: number,
  candidate: () => Promise<number>,
  reference: () => Promise<number>,
): Promise<{ candidate: number[]; reference: number[] }> {
  const figures = { candidate: [] as number[], reference: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (['candidate', 'reference'] as const) : (['reference', 'candidate'] as const);
    for (const side of order) figures[side].push(await (side === 'candidate' ? candidate() : reference()));
  }
  return figures;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Value below which the share `q` of the sorted `values` lies. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Prints one measure as a table row, or as one JSON line. */
export function print(measure: Measure, asJson: boolean): void {
  const row = summary(measure);
  if (asJson) console.log(JSON.stringify(row));
  else console.log(tableRow(measure, row));
}

function summary(measure: Measure): Record<string, string | number | boolean | null> {
  const candidate = median(measure.candidate);
  const reference = measure.reference.length === 0 ? null : median(measure.reference);
  const ratio = reference === null ? null : candidate / reference;
  const judged = ratio ?? candidate;
  const { goal } = measure;
  return {
    group: measure.group,
    measure: measure.measure,
    unit: measure.unit,
    candidate: rounded(candidate),
    reference: reference === null ? null : rounded(reference),
    ratio: ratio === null ? null : rounded(ratio),
    goal: goal === undefined ? null : `${goal.sense} ${goal.value}`,
    holds: goal === undefined ? null : goal.sense === 'at least' ? judged >= goal.value : judged <= goal.value,
  };
}

function tableRow(measure: Measure, row: ReturnType<typeof summary>): string {
  const spread = (values: readonly number[]): string =>
    values.length === 0
      ? '-'
      : `${rounded(median(values))} (${rounded(Math.min(...values))}..${rounded(Math.max(...values))})`;
  const goal = row['goal'] === null ? '' : `  goal ${row['goal']}: ${row['holds'] === true ? 'holds' : 'missed'}`;
  const ratio = row['ratio'] === null ? '' : `  ratio ${row['ratio']}${goal}`;
  const against =
    measure.reference.length === 0
      ? goal
      : `\n${' '.repeat(34)}${measure.against}: ${spread(measure.reference)}${ratio}`;
  return `${measure.measure.padEnd(32)}  ${spread(measure.candidate)} ${measure.unit}${against}`;
}

function rounded(value: number): number {
  return value >= 1_000 ? Math.round(value) : Number(value.toPrecision(3));
}

/** The load of the machine before a run, for the reader to judge it by. */
export function machineLoad(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
}
