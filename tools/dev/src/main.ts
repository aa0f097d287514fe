import { readDeployment } from '@niobe/events';
import { delay, isNiobeError, messageOf, systemClock } from '@niobe/kernel';
import { missingBrokers } from './broker-units.ts';
import { cubeOutlines } from './cube-commands.ts';
import { deploymentFolder } from './deployment-folder.ts';
import { startEmbeddedSystem } from './embedded-system.ts';
import { MOST_CLICKED_KEY, wantsClicks, type LocalSystem, type SystemStart } from './local-system.ts';
import { Observer } from './observer.ts';
import { HELP, readOptions, type DevOptions } from './options.ts';
import { pasteCommands } from './paste-commands.ts';
import { paintFor } from './paint.ts';
import { PlainView } from './plain-view.ts';
import { startRealSystem } from './real-system.ts';
import { TerminalView } from './terminal-view.ts';
import type { View } from './view.ts';

/** `npm start`: the whole system on this machine, until Ctrl-C. */

const EXIT_FAILED = 1;
const EXIT_USAGE = 64;
const LOOK_EVERY_MS = 2_000;

/** The first signal asks everything to stop, in order; the second ends the launcher, and the next start cleans up. */
function stopOnSignals(): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(EXIT_FAILED);
    stopping.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  return stopping.signal;
}

function chooseView(): View {
  if (process.stdout.isTTY) return new TerminalView(process.stdout, systemClock, paintFor(process.stdout.hasColors()));
  return new PlainView(systemClock, (line) => process.stdout.write(`${line}\n`));
}

/** Embedded where that was asked for, or where this machine has no brokers; then it says so. */
async function startSystem(start: SystemStart): Promise<LocalSystem> {
  const { options, view } = start;
  const missing = options.brokers === 'auto' ? missingBrokers() : null;
  if (missing !== null) view.step(`no real brokers, so this is embedded: ${missing}`);
  const embedded = options.brokers === 'embedded' || missing !== null;
  return embedded ? await startEmbeddedSystem(start) : await startRealSystem(start);
}

/** Shows the system until it is to be stopped. */
async function watch(system: LocalSystem, start: SystemStart, startMs: number): Promise<void> {
  const { deployment, options, view, stopping } = start;
  const { urls, services, title, notes } = system;
  const cubes = cubeOutlines(deployment);
  const busyKey = wantsClicks(start) ? MOST_CLICKED_KEY : null;
  const commands = pasteCommands({ deployment, deploymentOption: options.deployment, cubes, urls, busyKey });
  const startSeconds = (systemClock.monotonicMs() - startMs) / 1000;
  const observer = new Observer({ services, analyticsUrl: urls.analytics, cubes, clock: systemClock });
  const stopped = new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve(), { once: true }));
  if (stopping.aborted) return;
  view.ready({ title, startSeconds, commands, notes });
  while (!stopping.aborted) {
    view.show(await observer.look());
    await Promise.race([stopped, delay(systemClock, LOOK_EVERY_MS)]);
  }
  view.endLive();
}

async function run(options: DevOptions): Promise<number> {
  const startMs = systemClock.monotonicMs();
  const stopping = stopOnSignals();
  const view = chooseView();
  const folder = deploymentFolder(options.deployment);
  const deployment = await readDeployment(folder);
  const start = { options, deployment, deploymentFolder: folder, view, clock: systemClock, stopping };
  let system: LocalSystem;
  try {
    system = await startSystem(start);
  } catch (error) {
    if (!stopping.aborted) throw error;
    view.step('stopped');
    return 0;
  }
  try {
    await watch(system, start, startMs);
  } finally {
    view.endLive();
    view.step('stopping');
    await system.stop();
    view.step('stopped');
  }
  return 0;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options !== null) return await run(options);
    console.log(HELP);
    return 0;
  } catch (error) {
    console.error(`niobe: ${messageOf(error)}`);
    return isNiobeError(error, 'BAD_REQUEST') ? EXIT_USAGE : EXIT_FAILED;
  }
}

process.exit(await main(process.argv.slice(2)));
