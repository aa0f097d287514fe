/** Searches over the whole web graph, compared with the textbook's level counts. */
import type { TraverseClient } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import type { EdgeDirection } from './plain-graph.ts';
import { PUBLISHED, type WebGraph } from './web-graph.ts';

/** A search for everything that can be reached from a page. */
export function reachFrom(page: number, direction: EdgeDirection): object {
  return { start: [{ schema: 'page', key: page }], hops: [{ edge: 'links', direction, repeat: 1_000 }] };
}

/** Reach, eccentricity and level counts, along the edges from vertex 0 and against them from the hub. */
export async function expectWebSearches(
  verdict: Verdict,
  traverse: TraverseClient,
  web: WebGraph,
  where: string,
): Promise<void> {
  const { levels, reached, depth } = await traverse.levels(reachFrom(0, 'out'));
  verdict.expect(
    sameCounts(levels, web.levels),
    `${where}: level counts from vertex 0 equal the textbook's`,
    `${levels.length} levels`,
  );
  if (web.isWhole) {
    verdict.expect(
      reached === PUBLISHED.vertices,
      `${where}: ${PUBLISHED.vertices} vertices are reached`,
      `${reached}`,
    );
    verdict.expect(
      depth === PUBLISHED.eccentricity,
      `${where}: the eccentricity is ${PUBLISHED.eccentricity}`,
      `${depth}`,
    );
  }
  const hub = await traverse.levels(reachFrom(web.hub, 'in'));
  verdict.expect(
    sameCounts(hub.levels, web.hubLevels),
    `${where}: level counts over in-edges from vertex ${web.hub} equal the textbook's`,
    `${hub.reached} reached in ${hub.depth} levels`,
  );
}

function sameCounts(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((count, level) => count === right[level]);
}
