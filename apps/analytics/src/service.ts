import {
  Aggregator,
  compileCubes,
  CubeRegistry,
  GridCells,
  laneCounters,
  removeRetired,
  Watermarks,
  type Cube,
} from '@niobe/aggregates';
import { EventCatalogue, topicSpecs, type Deployment, type EventLog } from '@niobe/events';
import { CURSOR_SCHEMA_ID, joinGrid, SEEN_SCHEMA_ID, type Bus, type JoinedGrid, type SharedMaps } from '@niobe/grid';
import {
  delay,
  isNiobeError,
  NiobeError,
  randomHex,
  type Clock,
  type Logger,
  type Meter,
  type Random,
} from '@niobe/kernel';
import { keepTrying, type RunningService } from '@niobe/service';
import { cubeRoutes } from './handlers/cubes.ts';
import { LiveQuestions } from './live/live-questions.ts';
import { aggregatorGauges, liveGauges } from './metrics.ts';

/**
 * The analytics service. Start, in order:
 *
 * 1. The cubes of the deployment are compiled: what is wrong with them ends the start, naming everything.
 * 2. It waits for the facts of the grid, which shards record, and follows the partition table and the schemas.
 * 3. Cubes are compared with those on record; a changed one ends the start unless it is to be rebuilt. Schemas are registered.
 * 4. Topics are created where they are missing. Consuming begins in the background, and questions are answered.
 * 5. What earlier rebuilds left is removed behind.
 */

/** What the service is to do. */
export interface AnalyticsConfig {
  readonly deployment: Deployment;
  /** Names of cubes to be counted anew. */
  readonly rebuild: readonly string[];
}

/** What the service stands on; all of it stays the caller's to close. */
export interface AnalyticsParts {
  readonly bus: Bus;
  readonly maps: SharedMaps;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly starting: (progress: string) => void;
  readonly stopping: AbortSignal;
}

const QUERY_SECONDS: readonly number[] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const WRITER_BYTES = 8;
/** Removing what a rebuild left is tried again after this. */
const REMOVE_PAUSE_MS = 5_000;

/** Starts the service; see the head of this file. */
export async function startAnalytics(config: AnalyticsConfig, parts: AnalyticsParts): Promise<RunningService> {
  const { deployment } = config;
  const { clock, random, logger, meter, eventLog } = parts;
  const catalogue = new EventCatalogue(deployment);
  const compiled = compileCubes(deployment.cubes, catalogue.types);
  checkRebuild(config.rebuild, compiled);
  const grid = await openGrid(deployment, parts);
  const { cubes, registry } = await registerCubes(config, parts, compiled, grid);
  await keepTrying(parts, 'Kafka and its topics', () => eventLog.ensureTopics(topicSpecs(deployment.topics)));
  const producer = await eventLog.producer();
  const aggregator = new Aggregator(
    {
      grid: grid.cells,
      log: eventLog,
      producer,
      catalogue,
      schemaOf: grid.schemaOf,
      seenSchema: grid.schemas.get(SEEN_SCHEMA_ID)!,
      group: `niobe.${deployment.name}.analytics`,
      writer: randomHex(random, WRITER_BYTES),
      counters: laneCounters(meter),
      clock,
      random,
      logger,
    },
    cubes,
  );
  const live = new LiveQuestions(clock);
  aggregatorGauges(meter, aggregator, deployment.topics);
  liveGauges(meter, live);
  const removal = new AbortController();
  void removeAllRetired(cubes, registry, grid, parts, removal.signal);
  return {
    readiness: () => {
      const reason = aggregator.trouble;
      if (reason !== null) return { ready: false, reason };
      return eventLog.status();
    },
    drain: async () => {
      removal.abort();
      live.close();
      await aggregator.drain();
      await producer.close();
      registry.close();
      grid.close();
    },
    routes: cubeRoutes({
      cubes,
      grid: grid.cells,
      schemaOf: grid.schemaOf,
      watermarks: new Watermarks(
        grid.cells,
        grid.schemas.get(CURSOR_SCHEMA_ID)!,
        (topic) => catalogue.topic(topic).partitions,
      ),
      clock,
      live,
      querySeconds: meter.histogram('query_seconds', 'From a question to its answer', QUERY_SECONDS),
    }),
  };
}

function checkRebuild(names: readonly string[], cubes: readonly Cube[]): void {
  for (const name of names) {
    if (cubes.some((cube) => cube.name === name)) continue;
    throw new NiobeError(
      'BAD_CONFIG',
      `--rebuild-cube ${name}: no such cube is declared; there are ${cubes.map((cube) => cube.name).join(', ')}`,
    );
  }
}

/** This process's view of the grid. */
interface OpenGrid extends Pick<JoinedGrid, 'schemas' | 'catalogue' | 'schemaOf'> {
  readonly cells: GridCells;
  close(): void;
}

async function openGrid(deployment: Deployment, parts: AnalyticsParts): Promise<OpenGrid> {
  const grid = await joinGrid(deployment, parts, (what, attempt) => keepTrying(parts, what, attempt));
  const { schemas, catalogue, schemaOf, client } = grid;
  const cells = new GridCells(client, deployment.partitions, schemas.get(CURSOR_SCHEMA_ID)!);
  return { schemas, catalogue, schemaOf, cells, close: () => grid.close() };
}

async function registerCubes(
  { deployment, rebuild }: AnalyticsConfig,
  parts: AnalyticsParts,
  compiled: readonly Cube[],
  { catalogue }: OpenGrid,
): Promise<{ cubes: Cube[]; registry: CubeRegistry }> {
  const partitionsOf = (topic: string): number => deployment.topics.find(({ name }) => name === topic)?.partitions ?? 0;
  const registry = await keepTrying(parts, 'the cubes on record', () =>
    CubeRegistry.open(parts.maps, partitionsOf, parts.logger),
  );
  const cubes = await keepTrying(parts, 'the cubes on record', () => registry.register(compiled, new Set(rebuild)));
  const schemas = cubes.flatMap(({ sets }) => sets.map(({ schema }) => schema));
  await keepTrying(parts, 'the schemas', () => catalogue.ensure(schemas));
  return { cubes, registry };
}

/** Removes what rebuilds have left, as often as it takes; what is interrupted goes on at the next start. */
async function removeAllRetired(
  cubes: readonly Cube[],
  registry: CubeRegistry,
  grid: OpenGrid,
  { clock, logger }: AnalyticsParts,
  stopped: AbortSignal,
): Promise<void> {
  for (const { name } of cubes) {
    while (!stopped.aborted) {
      try {
        for (const retired of await registry.retiredOf(name)) {
          await removeRetired(grid.cells, retired, (schema) => grid.schemas.byName(schema) ?? null);
          for (const schema of retired.schemas) await grid.catalogue.remove(schema);
          await registry.forget(name, retired.revision);
          logger.info({ cube: name, revision: retired.revision }, 'what was counted before a rebuild has been removed');
        }
        break;
      } catch (error) {
        if (!isNiobeError(error)) throw error;
        logger.warn(
          { cube: name, code: error.code, reason: error.message },
          'what a rebuild left cannot be removed now',
        );
      }
      await delay(clock, REMOVE_PAUSE_MS);
    }
  }
}
