import type { Logger } from '@niobe/kernel';
import kafkajs, { type Kafka, type LogEntry } from 'kafkajs';
import { registerCodecs } from './codecs.ts';
import { speedUpDecoding } from './record-decoding.ts';

/** How kafkajs is set up: bounded time-outs and few retries, because the loops above it never give up. */

/** Where the brokers are and who asks. */
export interface KafkaAddress {
  /** `host:port` of some brokers. */
  readonly brokers: readonly string[];
  /** Name shown in the brokers' logs. */
  readonly clientId: string;
}

const CONNECT_TIMEOUT_MS = 3000;
/** A broker that does not answer by then counts as away. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** Retries inside kafkajs, for what passes within about a second. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1000, retries: 3 } as const;

/** A kafkajs client whose log lines go to `logger`; it connects to nothing by itself. */
export function newClient(address: KafkaAddress, logger: Logger, requestTimeout: number = REQUEST_TIMEOUT_MS): Kafka {
  registerCodecs();
  speedUpDecoding();
  return new kafkajs.Kafka({
    brokers: [...address.brokers],
    clientId: address.clientId,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout,
    enforceRequestTimeout: true,
    retry: RETRY,
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => writeEntry(logger, entry),
  });
}

/** Parts of kafkajs that report each failed connection, several times a second while a broker is away; the log says that once itself. */
const CONNECTION_PARTS: ReadonlySet<string> = new Set(['Connection', 'BrokerPool']);

/**
 * What kafkajs calls an error is mostly a broker that is away for a moment, which the loops around it handle and report; so its errors
 * are warnings here and the rest is for debugging. Only the message is kept: its extras may hold anything.
 */
function writeEntry(logger: Logger, { level, namespace, log }: LogEntry): void {
  const fields = { source: 'kafkajs', part: namespace };
  const isWarning = level === kafkajs.logLevel.ERROR && !CONNECTION_PARTS.has(namespace);
  if (isWarning) logger.warn(fields, log.message);
  else logger.debug(fields, log.message);
}
