import type { Hop, SearchOrder } from '../src/search.ts';

/** The same search over plain maps: what the engines have to agree with. */

/** Edges of one type as pairs of keys. */
export type Pairs = readonly (readonly [number, number])[];

export interface OracleRow {
  readonly key: number;
  readonly level: number;
  readonly count: number;
}

export interface OracleAnswer {
  readonly levels: readonly number[];
  /** Vertices of the last hop, by key. */
  readonly rows: readonly OracleRow[];
}

/** Searches `edges` (by name of their type) from `starts`. */
export function oracleSearch(
  edges: ReadonlyMap<string, Pairs>,
  starts: readonly number[],
  hops: readonly Hop[],
): OracleAnswer {
  const levels: number[] = [new Set(starts).size];
  const visited = new Set(starts);
  let hopReached = new Set(starts);
  let rows: OracleRow[] = [];
  for (const hop of hops) {
    let frontier = hopReached;
    hopReached = new Set();
    rows = [];
    for (let expansion = 0; expansion < hop.repeat; expansion++) {
      const leads = new Map<number, Set<number>>();
      for (const [from, to] of pairsOf(edges, hop))
        if (frontier.has(from) && !visited.has(to)) leads.set(to, (leads.get(to) ?? new Set()).add(from));
      if (leads.size === 0) break;
      for (const [key, from] of leads) rows.push({ key, level: levels.length, count: from.size });
      levels.push(leads.size);
      frontier = new Set(leads.keys());
      for (const key of frontier) {
        visited.add(key);
        hopReached.add(key);
      }
    }
    if (hopReached.size === 0) break;
  }
  if (hopReached.size === 0) rows = [];
  return { levels, rows: rows.toSorted((a, b) => a.key - b.key) };
}

/** Every step that a hop allows, as (from, to). */
function pairsOf(edges: ReadonlyMap<string, Pairs>, { edge, direction }: Hop): Pairs {
  const pairs = edges.get(edge.name) ?? [];
  const reversed = pairs.map(([from, to]) => [to, from] as const);
  if (direction === 'out') return pairs;
  return direction === 'in' ? reversed : [...pairs, ...reversed];
}

/** The rows in an order of the answer. */
export function ordered(rows: readonly OracleRow[], order: SearchOrder): OracleRow[] {
  return rows.toSorted((a, b) => {
    if (order === 'count') return b.count - a.count || a.key - b.key;
    return (order === 'level' ? a.level - b.level : 0) || a.key - b.key;
  });
}
