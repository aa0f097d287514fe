import {
  isNiobeError,
  messageOf,
  systemClock,
  systemRandom,
  withDeadline,
  type Clock,
  type ErrorCode,
  type Logger,
  type Meter,
  type Random,
} from '@niobe/kernel';
import type { z } from 'zod';
import { describeVariables, readConfiguration, type ConfigSchema } from './configuration.ts';
import { measureEventLoopDelay } from './event-loop-delay.ts';
import { EXIT, EXIT_BY_SIGNAL } from './exit-codes.ts';
import { Health, type Readiness } from './health.ts';
import { HttpServer, type Routes } from './http-server.ts';
import { pinoLogger } from './pino-logger.ts';
import { PrometheusMeter } from './prometheus-meter.ts';
import type { HostVariables } from './variables.ts';

/**
 * The life of a service process, in order:
 *
 * 1. `--help` prints the variables and ends. The configuration is read; whatever is wrong with it is printed at once: exit 78.
 * 2. Logs, metrics, guards against uncaught errors (logged, exit 70) and signals.
 * 3. HTTP listens with the probes alone, so that a long recovery can be watched. A taken port: one line, exit 69.
 * 4. `start` of the service. It has no deadline: it waits for brokers and backups as long as they are away, and says so by
 *    `starting(...)`. What it refuses for good ends the process: one line, exit 78 for declarations and configuration, else 69.
 * 5. The service's routes are mounted; `/startupz` is green; `/readyz` asks the service.
 * 6. SIGTERM or SIGINT: not ready; `drain` of the service; HTTP closed; exit 0, after DRAIN_DEADLINE_MS at the latest.
 *    A second signal ends the process at once. Ending without any of this is safe too: recovery is the ordinary start.
 */

/** Drain and close take no longer than this together; supervisors should wait a little more before they kill. */
export const DRAIN_DEADLINE_MS = 8_000;

/** A service that has started. */
export interface RunningService {
  /** Asked by every `/readyz`; must be cheap. */
  readiness(): Readiness;
  /** Stops taking work, ends what is in flight, closes what it opened. */
  drain(): Promise<void>;
  /** HTTP routes of the service. */
  routes?: Routes;
}

/** What the host gives to a service. */
export interface ServiceHost<C> {
  readonly config: C;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Says what start-up is doing or waiting for; shown by `/startupz` and `/readyz`. */
  readonly starting: (progress: string) => void;
  /** Aborted by the first signal. */
  readonly stopping: AbortSignal;
}

/** A service to be run as a process. */
export interface ServiceDefinition<S extends z.ZodObject<HostVariables>> {
  /** Kind of service, such as `storage-shard`: names its metrics and log lines. */
  readonly name: string;
  /** Environment variables: `hostVariables(...)` and the service's own. */
  readonly configSchema: S;
  /** Bound of open HTTP connections; default 1,024. */
  readonly connectionsMax?: number;
  readonly start: (host: ServiceHost<Readonly<z.infer<S>>>) => Promise<RunningService>;
}

/** Runs the process of a service; see the head of this file. Never rejects: every end is an exit code. */
export async function runService<S extends z.ZodObject<HostVariables>>(
  definition: ServiceDefinition<S>,
): Promise<void> {
  if (process.argv.includes('--help')) return printUsage(definition.name, definition.configSchema);
  try {
    await new ServiceProcess(definition, readConfiguration(definition.configSchema, process.env)).run();
  } catch (error) {
    endAfter(error, definition.name);
  }
}

function printUsage(name: string, schema: ConfigSchema): void {
  process.stdout.write(`${name}: configured by environment variables.\n\n${describeVariables(schema)}\n`);
}

class ServiceProcess<S extends z.ZodObject<HostVariables>> {
  readonly #definition: ServiceDefinition<S>;
  readonly #config: Readonly<z.infer<S>>;
  readonly #logger: Logger;
  readonly #meter: PrometheusMeter;
  readonly #health = new Health();
  readonly #stop = new AbortController();
  #http: HttpServer | null = null;
  #start: Promise<RunningService> | null = null;

  constructor(definition: ServiceDefinition<S>, config: Readonly<z.infer<S>>) {
    this.#definition = definition;
    this.#config = config;
    this.#logger = pinoLogger(config.NIOBE_NAME, config.NIOBE_LOG_LEVEL);
    this.#meter = new PrometheusMeter(definition.name);
  }

  async run(): Promise<void> {
    this.#guard();
    this.#meter.collectProcessMetrics();
    measureEventLoopDelay(systemClock, this.#meter);
    this.#http = await this.#listen();
    this.#logger.info({ port: this.#http.port, pid: process.pid }, 'starting');
    this.#start = this.#definition.start(this.#host());
    const service = await this.#started(this.#start);
    if (service === null) return;
    if (service.routes !== undefined) await this.#http.mount(service.routes.bind(service));
    this.#health.serving(() => service.readiness());
    this.#logger.info({}, 'started');
  }

  /** The started service, or null when a signal came first and {@link #end} has taken over. */
  async #started(start: Promise<RunningService>): Promise<RunningService | null> {
    try {
      const service = await start;
      return this.#stop.signal.aborted ? null : service;
    } catch (error) {
      if (this.#stop.signal.aborted) return null;
      throw error;
    }
  }

  #listen(): Promise<HttpServer> {
    const { NIOBE_HTTP_HOST: host, NIOBE_HTTP_PORT: port } = this.#config;
    return HttpServer.open({
      host,
      port,
      health: this.#health,
      meter: this.#meter,
      logger: this.#logger,
      clock: systemClock,
      connectionsMax: this.#definition.connectionsMax,
    });
  }

  #host(): ServiceHost<Readonly<z.infer<S>>> {
    return {
      config: this.#config,
      clock: systemClock,
      random: systemRandom(),
      logger: this.#logger,
      meter: this.#meter,
      starting: (progress) => this.#health.starting(progress),
      stopping: this.#stop.signal,
    };
  }

  #guard(): void {
    process.on('uncaughtException', (error) => {
      this.#logger.error({ error: messageOf(error), stack: error.stack ?? '' }, 'uncaught error: the process ends');
      process.exit(EXIT.software);
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#onSignal(signal));
  }

  #onSignal(signal: 'SIGTERM' | 'SIGINT'): void {
    if (this.#stop.signal.aborted) process.exit(EXIT_BY_SIGNAL[signal]);
    this.#logger.info({ signal }, 'draining');
    this.#health.draining();
    this.#stop.abort();
    void this.#end();
  }

  async #end(): Promise<void> {
    try {
      await withDeadline(systemClock, this.#drain(), DRAIN_DEADLINE_MS, 'draining');
      this.#logger.info({}, 'stopped');
    } catch (error) {
      this.#logger.warn({ error: messageOf(error) }, 'stopped before everything was drained');
    }
    process.exit(EXIT.ok);
  }

  async #drain(): Promise<void> {
    const service = await this.#start?.catch(() => null);
    await service?.drain();
    await this.#http?.close();
  }
}

const CONFIGURATION_CODES: readonly ErrorCode[] = ['BAD_CONFIG', 'BAD_DECLARATION', 'INCOMPATIBLE'];

/** One line an operating error, everything of a programmer error, and the exit code of its cause. */
function endAfter(error: unknown, name: string): void {
  if (!isNiobeError(error)) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(EXIT.software);
  }
  for (const line of error.message.split('\n')) process.stderr.write(`${name}: ${error.code}: ${line}\n`);
  process.exit(CONFIGURATION_CODES.includes(error.code) ? EXIT.configuration : EXIT.unavailable);
}
