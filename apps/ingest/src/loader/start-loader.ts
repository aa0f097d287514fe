import { GridCells } from '@niobe/aggregates';
import { EventCatalogue, topicSpecs, type Deployment } from '@niobe/events';
import { compileEdgeTypes } from '@niobe/graph';
import { CURSOR_SCHEMA_ID, joinGrid, SEEN_SCHEMA_ID, type Bus, type SharedMaps } from '@niobe/grid';
import { randomHex } from '@niobe/kernel';
import { compileMappings, IdCache, loaderCounters, MappingRegistry, TopicLoader, type Mapping } from '@niobe/loader';
import { keepTrying, type RunningService } from '@niobe/service';
import type { CollectorParts } from '../collector/start-collector.ts';
import { loaderGauges } from './metrics.ts';

/**
 * The loader. Start, in order:
 *
 * 1. Edge types and mappings of the deployment are compiled: what is wrong with them ends the start, naming everything.
 * 2. It waits for the facts of the grid, which shards record, follows the partition table and registers the schemas.
 * 3. Mappings are compared with those on record: a changed one ends the start.
 * 4. Topics are created where they are missing, and consuming begins in the background.
 */

/** What the loader stands on; all of it stays the caller's to close. */
export interface LoaderParts extends CollectorParts {
  readonly bus: Bus;
  readonly maps: SharedMaps;
}

const WRITER_BYTES = 8;

/** Starts the loader; see the head of this file. A deployment without mappings has nothing to load. */
export async function startLoader(deployment: Deployment, parts: LoaderParts): Promise<RunningService> {
  const { clock, random, logger, meter, eventLog } = parts;
  const catalogue = new EventCatalogue(deployment);
  const edgeTypes = compileEdgeTypes(deployment.edges, deployment.cells);
  const names = { eventTypes: catalogue.types, cells: deployment.cells, edgeTypes };
  const mappings = compileMappings(deployment.mappings, names);
  const grid = await joinGrid(deployment, parts, (what, attempt) => keepTrying(parts, what, attempt));
  const needed = [...deployment.cells, ...edgeTypes.flatMap(({ schemas }) => schemas)];
  await keepTrying(parts, 'the schemas', () => grid.catalogue.ensure(needed));
  await register(mappings, parts);
  await keepTrying(parts, 'Kafka and its topics', () => eventLog.ensureTopics(topicSpecs(deployment.topics)));
  const cache = new IdCache(deployment.partitions);
  const loader = new TopicLoader(
    {
      grid: new GridCells(grid.client, deployment.partitions, grid.schemas.get(CURSOR_SCHEMA_ID)!),
      ids: grid.client,
      cache,
      log: eventLog,
      catalogue,
      schemaOf: grid.schemaOf,
      seenSchema: grid.schemas.get(SEEN_SCHEMA_ID)!,
      group: `niobe.${deployment.name}.loader`,
      writer: randomHex(random, WRITER_BYTES),
      counters: loaderCounters(meter),
      clock,
      random,
      logger: logger.child({ component: 'loader' }),
    },
    mappings,
  );
  loaderGauges(meter, loader, cache, deployment.topics);
  return {
    readiness: () => {
      const reason = loader.trouble;
      return reason === null ? eventLog.status() : { ready: false, reason };
    },
    drain: async () => {
      await loader.drain();
      grid.close();
    },
  };
}

async function register(mappings: readonly Mapping[], parts: LoaderParts): Promise<void> {
  const registry = await keepTrying(parts, 'the mappings on record', () => MappingRegistry.open(parts.maps));
  await keepTrying(parts, 'the mappings on record', () => registry.register(mappings));
  registry.close();
}
