import type { BenchOptions } from '../bench-group.ts';
import type { Goal } from '../measure.ts';

/** How large the stores are at which growth is shown. */
const SIZES = [100_000, 1_000_000, 10_000_000] as const;
const ROUNDS = 5;

/** Numbers of cells of a run. */
export function sizesOf(options: BenchOptions, own: readonly number[] = SIZES): readonly number[] {
  return options.cells ?? own;
}

export function roundsOf(options: BenchOptions): number {
  return options.rounds ?? ROUNDS;
}

export function atLeast(value: number): Goal {
  return { sense: 'at least', value };
}

export function atMost(value: number): Goal {
  return { sense: 'at most', value };
}

/** A number of cells as rows show it: 10^7 for ten millions. */
export function sizeText(cells: number): string {
  const power = Math.log10(cells);
  return Number.isInteger(power) ? `10^${power}` : String(cells);
}
