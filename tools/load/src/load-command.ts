import { basename } from 'node:path';
import { readDeployment } from '@niobe/events';
import { isNiobeError, messageOf, NiobeError, systemClock } from '@niobe/kernel';
import { GraphLoad, type LoadEnd, type LoadTarget } from '@niobe/loader';
import { grouped, identifyFile, openContent } from '@niobe/tool-replay';
import { graphPaths, type GraphPath } from './graph-files.ts';
import { LoadProgress } from './load-progress.ts';
import { HELP, readOptions, type LoadCommand } from './options.ts';
import { chooseEdge, joinSystem, targetOf } from './running-system.ts';

/** The loader of graph files as a command. */

const EXIT_FAILED = 1;
const EXIT_USAGE = 64;
const EXIT_INTERRUPTED = 130;

async function run(command: LoadCommand): Promise<number> {
  const startMs = systemClock.monotonicMs() - performance.now();
  const paths = graphPaths(command.path, command.format);
  const deployment = await readDeployment(command.deployment);
  const edge = chooseEdge(deployment, command.edge);
  const system = await joinSystem(deployment, command.nats);
  try {
    const target = targetOf(edge, system.schemas);
    checkVertices(target, paths);
    const load = new GraphLoad(system.parts, target, { skipsBad: command.skipsBad });
    stopOnSignals(load);
    const ends: LoadEnd[] = [];
    for (const path of paths) if (!ends.includes('stopped')) ends.push(await loadFile(load, path, command));
    return conclude(load, ends, systemClock.monotonicMs() - startMs);
  } finally {
    await system.close();
  }
}

/** A file of vertices does not say to which end of an edge they belong. */
function checkVertices({ edge }: LoadTarget, paths: readonly GraphPath[]): void {
  if (edge.from === edge.to || paths.every(({ rows }) => rows === 'edges')) return;
  throw new NiobeError('BAD_REQUEST', `"${edge.name}" joins ${edge.from} and ${edge.to}: a graphalytics graph has one`);
}

async function loadFile(load: GraphLoad, { path, rows }: GraphPath, command: LoadCommand): Promise<LoadEnd> {
  const { format, hasHeader } = command;
  const name = basename(path);
  const identity = await identifyFile(path);
  const content = await openContent(path);
  const progress = new LoadProgress(load, systemClock, identity.bytes);
  try {
    const end = await load.load({
      ...identity,
      ...content,
      pieces: readable(content.pieces, name),
      name,
      format,
      rows,
      hasHeader,
    });
    if (end === 'was in already') console.log(`${name} is in already: nothing to do`);
    else if (load.linesBefore > 0) console.log(`${name}: went on behind line ${grouped(load.linesBefore)}`);
    return end;
  } finally {
    progress.stop();
    content.close();
  }
}

/** Names the file where its bytes cannot be read. */
async function* readable(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw new NiobeError('MALFORMED', `${name} cannot be read to its end: ${messageOf(error)}`, {}, error);
  }
}

/** On the first signal the runs under way are finished; a second, or a load that waits, gives them up. */
function stopOnSignals(load: GraphLoad): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping || load.waiting !== null) load.close();
    else load.stop();
    isStopping = true;
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function conclude(load: GraphLoad, ends: readonly LoadEnd[], elapsedMs: number): number {
  const { edges, bad, lost } = load;
  if (bad > 0) console.log(`lines passed over because they are no edge: ${grouped(bad)}`);
  if (lost > 0) console.log(`edges left out because a vertex was deleted meanwhile: ${grouped(lost)}`);
  if (ends.includes('stopped')) {
    console.log(`interrupted behind line ${grouped(load.lines)}; the same command goes on from there`);
    return EXIT_INTERRUPTED;
  }
  const seconds = elapsedMs / 1_000;
  const rate = grouped(Math.round(edges / seconds));
  if (ends.includes('loaded'))
    console.log(
      `done: ${grouped(edges)} edges in ${seconds.toFixed(1)} s, ${rate} edges/s from the start, all durable`,
    );
  return 0;
}

/** Runs the command and returns its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const command = readOptions(args);
    if (command !== null) return await run(command);
    console.log(HELP);
    return 0;
  } catch (error) {
    if (isNiobeError(error, 'CLOSED')) {
      console.log('interrupted; the same command goes on where it stopped');
      return EXIT_INTERRUPTED;
    }
    console.error(`load: ${messageOf(error)}`);
    return isNiobeError(error, 'BAD_REQUEST') ? EXIT_USAGE : EXIT_FAILED;
  }
}
