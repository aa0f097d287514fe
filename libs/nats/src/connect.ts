import { connect, type NatsConnection, type ServerInfo } from '@nats-io/transport-node';
import type { Bus, SharedMaps } from '@niobe/grid';
import { delay, messageOf, NiobeError, type Clock, type Logger, type Random } from '@niobe/kernel';
import { NatsBus } from './nats-bus.ts';
import { NatsLink } from './nats-link.ts';
import { NatsSharedMaps } from './nats-shared-maps.ts';

/** Oldest nats-server whose compare-and-set holds in a cluster and which knows per-key time to live. */
const SERVER_VERSION_MIN = [2, 12, 0] as const;

/** A part of a message with its headers must fit. */
const MAX_PAYLOAD_MIN: number = 2 * 1024 * 1024;

const DIAL_TIMEOUT_MS = 2_000;
const RETRY_MS = 250;
/** How long a service tries before it says what it waits for. */
const ATTEMPT_TIMEOUT_MS = 3_000;
const PING_INTERVAL_MS = 5_000;
const PINGS_UNANSWERED_MAX = 2;

/** How to reach NATS. */
export interface NatsOptions {
  /** URLs, such as `nats://127.0.0.1:7740`. */
  readonly servers: readonly string[];
  /** Name of this process, as NATS shows it. */
  readonly name: string;
  /** Begins the names of the maps' buckets. */
  readonly deployment: string;
  /** Copies of each map that NATS keeps: 1, 3 or 5; more than 1 needs a NATS cluster. */
  readonly replicas: 1 | 3 | 5;
  /** How long to try at the start; later it tries for ever. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What a service tells NATS of itself. */
export interface NatsClientHost {
  readonly config: { readonly NIOBE_NAME: string; readonly NIOBE_NATS_URL: string };
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How a service reaches the NATS of its configuration: one attempt, to be repeated while NATS is away. */
export function natsOptionsOf({ config, clock, random, logger }: NatsClientHost, deployment: string): NatsOptions {
  const { NIOBE_NAME: name, NIOBE_NATS_URL: url } = config;
  const connectTimeoutMs = ATTEMPT_TIMEOUT_MS;
  return { servers: [url], name, deployment, replicas: 1, connectTimeoutMs, clock, random, logger };
}

/** The wire and the notice board over one connection. */
export interface NatsGrid {
  readonly bus: Bus;
  readonly maps: SharedMaps;
  readonly serverVersion: string;
  /** Closes maps, bus and connection. */
  close(): Promise<void>;
}

/**
 * Connects and checks the server. `UNAVAILABLE` if none answers in time; `BAD_CONFIG`, saying what to set or install, if it is too
 * old, takes messages that are too short, or has no JetStream.
 */
export async function connectNats(options: NatsOptions): Promise<NatsGrid> {
  const connection = await dial(options);
  try {
    const info = connection.info!;
    checkServer(info);
    return assemble(connection, info, options);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function assemble(connection: NatsConnection, info: ServerInfo, options: NatsOptions): NatsGrid {
  const link = new NatsLink(connection, options.clock, options.logger);
  const bus = new NatsBus(link, options.random);
  const maps = new NatsSharedMaps(link, options);
  const close = async (): Promise<void> => {
    await maps.close();
    await bus.close();
  };
  return { bus, maps, serverVersion: info.version, close };
}

async function dial(options: NatsOptions): Promise<NatsConnection> {
  const endMs = options.clock.monotonicMs() + options.connectTimeoutMs;
  for (;;) {
    try {
      return await connect({
        servers: [...options.servers],
        name: options.name,
        timeout: DIAL_TIMEOUT_MS,
        maxReconnectAttempts: -1,
        reconnectTimeWait: RETRY_MS,
        pingInterval: PING_INTERVAL_MS,
        maxPingOut: PINGS_UNANSWERED_MAX,
        noAsyncTraces: true,
      });
    } catch (error) {
      if (options.clock.monotonicMs() + RETRY_MS >= endMs) throw notReached(options, error);
      await delay(options.clock, RETRY_MS);
    }
  }
}

function notReached(options: NatsOptions, error: unknown): NiobeError {
  const where = options.servers.join(', ');
  return new NiobeError(
    'UNAVAILABLE',
    `NATS at ${where} did not answer within ${options.connectTimeoutMs} ms: ${messageOf(error)}`,
    {},
    error,
  );
}

/** Throws `BAD_CONFIG` unless the server can carry the grid. */
export function checkServer(info: Pick<ServerInfo, 'version' | 'max_payload' | 'jetstream'>): void {
  if (!isNewEnough(info.version))
    throw new NiobeError(
      'BAD_CONFIG',
      `nats-server ${info.version} is too old: install ${SERVER_VERSION_MIN.join('.')} or newer (npm run setup says how)`,
    );
  if (info.max_payload < MAX_PAYLOAD_MIN)
    throw new NiobeError(
      'BAD_CONFIG',
      `nats-server takes messages up to ${info.max_payload} bytes: set max_payload to 8MB (at least 2MB) in its configuration`,
    );
  if (info.jetstream !== true)
    throw new NiobeError(
      'BAD_CONFIG',
      'nats-server runs without JetStream: add a jetstream block with store_dir to its configuration, or start it with -js',
    );
}

function isNewEnough(version: string): boolean {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (parts === undefined) return false;
  for (const [i, least] of SERVER_VERSION_MIN.entries()) if (parts[i] !== least) return parts[i]! > least;
  return true;
}
