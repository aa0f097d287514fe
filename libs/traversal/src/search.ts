import type { Direction, EdgeType } from '@niobe/graph';

/**
 * What a search asks and what it answers.
 *
 * A search expands its start vertices hop by hop. Every vertex is reached once, at its first level; the start vertices are level 0 and
 * never among the answer's vertices. A hop with `repeat` n expands up to n levels; the next hop starts from all vertices that the hop
 * reached, at any of its levels. With one hop, level is distance.
 */

/** A vertex by its key. */
export interface StartVertex {
  readonly schema: string;
  readonly key: string | number;
}

/** One hop: over the edges of one type. */
export interface Hop {
  readonly edge: EdgeType;
  readonly direction: Direction;
  /** Levels at most, 1 to 1,000. */
  readonly repeat: number;
}

/** How far a search may go; exceeded, it ends with `BUDGET_EXCEEDED` (or, for `ms`, `DEADLINE`). */
export interface SearchBudget {
  /** Distinct vertices reached. */
  readonly vertices: number;
  /** State and messages, at all shards together. */
  readonly bytes: number;
  /** From the request to the answer. */
  readonly ms: number;
}

/** Order of the rows. `count`: highest first; `level`: nearest first; ties, and `key`: by key. */
export type SearchOrder = 'count' | 'key' | 'level';

/** A request that was read and fits the deployment. */
export interface Search {
  readonly start: readonly StartVertex[];
  readonly hops: readonly Hop[];
  readonly returns: 'vertices' | 'levels';
  /** Whether the vertices of the last hop carry how many distinct vertices of the level before led to them. */
  readonly isCounting: boolean;
  readonly orderBy: SearchOrder;
  /** Rows at most. */
  readonly limit: number;
  readonly budget: SearchBudget;
}

/** A vertex of the answer, as JSON has it. */
export interface SearchRow {
  readonly schema: string;
  readonly key: string | number;
  readonly level: number;
  /** Only where counts were asked for. */
  readonly count?: number;
}

/** `return: "vertices"`: the first `limit` of the vertices that the last hop reached, in order. */
export interface VerticesAnswer {
  readonly vertices: readonly SearchRow[];
  /** Vertices that the last hop reached, those beyond the limit included. */
  readonly total: number;
}

/** `return: "levels"`: how many vertices each level has. */
export interface LevelsAnswer {
  /** Index = level; level 0 are the start vertices, the last is not empty. */
  readonly levels: readonly number[];
  /** Sum of the levels, start vertices included. */
  readonly reached: number;
  /** The last level. */
  readonly depth: number;
}

/** What a search answers. */
export type SearchAnswer = VerticesAnswer | LevelsAnswer;
