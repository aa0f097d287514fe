import type { HopPlan } from '../frames/start.ts';

/**
 * Which hop a search is at, decided alike at every shard from the same sums, so that nobody has to ask the coordinator.
 *
 * The sums of a step are those of the totals that all shards told at its end. How many candidates became vertices is known to the others
 * one step later only; a level that turns out to be empty everywhere is then taken back, so levels are numbered without gaps on any
 * number of shards.
 */
export class Course {
  readonly #hops: readonly HopPlan[];
  #hop = 0;
  /** Expansions of the present hop that are over. */
  #expansions = 0;
  /** Vertices that the present hop is known to have reached, at all shards. */
  #hopReached = 0;

  constructor(hops: readonly HopPlan[]) {
    this.#hops = hops;
  }

  get hop(): HopPlan {
    return this.#hops[this.#hop]!;
  }

  /** True if what is reached now belongs to the answer. */
  get isLastHop(): boolean {
    return this.#hop === this.#hops.length - 1;
  }

  /** True where no expansion of the present hop is over yet. */
  get isHopBegin(): boolean {
    return this.#expansions === 0;
  }

  /**
   * Goes on after a step.
   *
   * @param settled vertices that the step before this one added, at all shards
   * @param candidates of this step, at all shards
   * @returns what is to be expanded next: the vertices of this step, all of this hop, or nothing any more
   */
  advance(settled: number, candidates: number): 'level' | 'hop' | 'over' {
    if (this.#expansions > 0) this.#hopReached += settled;
    this.#expansions += 1;
    if (candidates > 0 && this.#expansions < this.hop.repeat) return 'level';
    const isEmpty = candidates === 0 && this.#hopReached === 0;
    if (isEmpty || this.isLastHop) return 'over';
    this.#hop += 1;
    this.#expansions = 0;
    this.#hopReached = 0;
    return 'hop';
  }
}
