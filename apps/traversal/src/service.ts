import type { Deployment } from '@niobe/events';
import { compileEdgeTypes } from '@niobe/graph';
import { joinGrid, type Bus, type JoinParts, type PartitionTable } from '@niobe/grid';
import { keepTrying, type Patience, type Readiness, type RunningService } from '@niobe/service';
import { Searcher } from '@niobe/traversal';
import { cellRoutes } from './handlers/cells.ts';
import { traverseRoutes } from './handlers/traverse.ts';

/**
 * The traversal service: searches over the graph, and its single cells and edges. Start, in order:
 *
 * 1. The edge types of the deployment are compiled: what is wrong with them ends the start, naming everything.
 * 2. It waits for the facts of the grid, which shards record, and follows the partition table and the schemas.
 * 3. The schemas of vertices and edges are registered; then questions are answered.
 *
 * Vertices and edges are in the shards, and so is the work of a search. This process starts searches, watches them and puts their
 * answers together; it holds nothing else, so any number of instances may run and any may be killed.
 */

/** What the service stands on; bus and maps stay the caller's to close. */
export type TraversalParts = JoinParts & Patience;

const SEARCH_SECONDS: readonly number[] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60];

/** Starts the service; see the head of this file. */
export async function startTraversal(deployment: Deployment, parts: TraversalParts): Promise<RunningService> {
  const { clock, random, logger, meter, bus } = parts;
  const vertices = deployment.cells.filter(({ key }) => key !== 'none');
  const edges = compileEdgeTypes(deployment.edges, deployment.cells);
  const grid = await joinGrid(deployment, parts, (what, attempt) => keepTrying(parts, what, attempt));
  const { schemas, table, client } = grid;
  const needed = [...deployment.cells, ...edges.flatMap((edge) => edge.schemas)];
  await keepTrying(parts, 'the schemas', () => grid.catalogue.ensure(needed));
  const searcher = new Searcher({
    bus,
    deployment: deployment.name,
    table,
    client,
    schemas,
    clock,
    random,
    logger,
    meter,
  });
  const searchSeconds = meter.histogram('search_seconds', 'From a search to its answer or error', SEARCH_SECONDS);
  const ending = new AbortController();
  return {
    readiness: () => readiness(bus, table),
    drain: async () => {
      ending.abort();
      grid.close();
    },
    routes: async (app) => {
      await traverseRoutes({ vertices, edges, searcher, clock, searchSeconds, ending: ending.signal })(app);
      await cellRoutes({ vertices, edges, client, schemas })(app);
    },
  };
}

function readiness(bus: Bus, table: PartitionTable): Readiness {
  if (bus.status() !== 'connected') return { ready: false, reason: 'NATS is away' };
  let unserved = 0;
  for (let partition = 0; partition < table.partitions; partition++)
    if (table.row(partition)?.phase !== 'ACTIVE') unserved += 1;
  if (unserved === 0) return { ready: true, reason: '' };
  return { ready: false, reason: `${unserved} of ${table.partitions} partitions have no shard that serves them` };
}
