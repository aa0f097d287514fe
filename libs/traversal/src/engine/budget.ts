import { NiobeError } from '@niobe/kernel';
import type { StepTotals } from '../frames/frontier.ts';
import type { SearchPlan } from '../frames/start.ts';

/**
 * Keeps a search within its budget. Between two steps the sums of all shards are known; within a step this shard's share is what the
 * others had left over at the last one.
 */
export class BudgetGuard {
  readonly #budget: SearchPlan['budget'];
  #othersVertices = 0;
  #othersBytes = 0;

  constructor(budget: SearchPlan['budget']) {
    this.#budget = budget;
  }

  /** The other shards told of themselves. */
  hear(others: readonly StepTotals[]): void {
    this.#othersVertices = others.reduce((sum, { vertices }) => sum + vertices, 0);
    this.#othersBytes = others.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Throws `BUDGET_EXCEEDED` naming the budget and how far the search came. */
  check(vertices: number, bytes: number, level: number): void {
    const allVertices = vertices + this.#othersVertices;
    if (allVertices > this.#budget.vertices) throw exceeded('vertices', this.#budget.vertices, allVertices, level);
    const allBytes = bytes + this.#othersBytes;
    if (allBytes > this.#budget.bytes) throw exceeded('bytes', this.#budget.bytes, allBytes, level);
  }
}

function exceeded(what: 'vertices' | 'bytes', budget: number, needed: number, level: number): NiobeError {
  const message = `budget.${what}: ${budget} do not suffice; it took ${needed} up to level ${level}`;
  return new NiobeError('BUDGET_EXCEEDED', message, { path: `budget.${what}` });
}
