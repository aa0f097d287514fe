import { join } from 'node:path';
import { readDeployment, type Deployment } from '@niobe/events';
import { KafkaEventLog } from '@niobe/kafka';
import { isNiobeError, messageOf, silentLogger, systemClock } from '@niobe/kernel';
import { CollectorClient } from '@niobe/tool-clickgen';
import { identifyFile } from './input-file.ts';
import { BATCH_ROWS, eventBatches } from './event-batches.ts';
import { LogSink } from './log-sink.ts';
import { MAPPING_FILE, readMapping } from './mapping.ts';
import { HELP, readOptions, REPOSITORY, type ReplayCommand } from './options.ts';
import { grouped } from './progress-line.ts';
import { ProgressReport } from './progress-report.ts';
import { Replay, type EventSink } from './replay.ts';
import { ReplayState } from './replay-state.ts';

/** The replay as a command: a CSV file, sent as events. */

const EXIT_FAILED = 1;
const EXIT_USAGE = 64;
const EXIT_INTERRUPTED = 130;
/** Rows are sent at least this often a second when a rate is given. */
const BATCHES_PER_SECOND_MIN = 10;

async function run(command: ReplayCommand): Promise<number> {
  const deployment = await readDeployment(command.deployment);
  const mapping = await readMapping(join(command.deployment, MAPPING_FILE));
  const file = await identifyFile(command.file);
  const state = new ReplayState(join(REPOSITORY, '.niobe/local/replay', deployment.name), { file, to: command.to });
  const skipRows = command.restart ? 0 : await state.read();
  const sink = await openSink(command, deployment);
  const report = new ProgressReport({ fileBytes: file.bytes, rowsBefore: skipRows, state, clock: systemClock });
  const replay = new Replay({
    sink,
    clock: systemClock,
    ratePerSecond: command.ratePerSecond,
    onProgress: (progress) => report.progress(progress),
  });
  stopOnSignals(replay, sink);
  if (skipRows > 0) console.log(`continuing behind row ${grouped(skipRows)} (--restart begins anew)`);
  report.start(replay);
  try {
    const batchRows = Math.max(1, Math.min(BATCH_ROWS, Math.ceil(command.ratePerSecond / BATCHES_PER_SECOND_MIN)));
    await replay.run(
      eventBatches({ path: command.file, mapping, events: deployment.events, batchRows, skipRows }),
      skipRows,
    );
  } finally {
    await report.stop(replay);
    await sink.close();
  }
  return await conclude(replay, state);
}

async function openSink({ to, url, brokers }: ReplayCommand, deployment: Deployment): Promise<EventSink> {
  if (to === 'collector') return new CollectorClient({ url, clock: systemClock });
  const log = new KafkaEventLog({ brokers, clientId: 'niobe-replay', clock: systemClock, logger: silentLogger });
  return await LogSink.open(log, deployment, systemClock);
}

/** On the first signal nothing more is read; a second, or a sink that waits, gives up what is in flight. */
function stopOnSignals(replay: Replay, sink: EventSink): void {
  const stop = (): void => {
    if (replay.stopped || replay.trouble !== '') void sink.close();
    replay.stop();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

async function conclude(replay: Replay, state: ReplayState): Promise<number> {
  for (const { row, reason } of replay.refusals) console.error(`refused: row ${grouped(row)}: ${reason}`);
  const refused = `${grouped(replay.refused)} refused`;
  if (replay.stopped) {
    console.log(`interrupted behind row ${grouped(replay.rowsDone)}, ${refused}; the same command goes on from there`);
    return EXIT_INTERRUPTED;
  }
  await state.remove();
  console.log(
    `done: ${grouped(replay.rowsDone)} rows, ${grouped(replay.acknowledged)} events acknowledged now, ${refused}`,
  );
  return replay.refused === 0 ? 0 : EXIT_FAILED;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const command = readOptions(args);
    if (command !== null) return await run(command);
    console.log(HELP);
    return 0;
  } catch (error) {
    console.error(`replay: ${messageOf(error)}`);
    return isNiobeError(error, 'BAD_REQUEST') ? EXIT_USAGE : EXIT_FAILED;
  }
}

process.exitCode = await main(process.argv.slice(2));
