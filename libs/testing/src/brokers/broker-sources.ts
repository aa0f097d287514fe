import { existsSync, readFileSync } from 'node:fs';
import { inRepository } from './repository.ts';

/** No broker, and why. */
export interface NoBroker {
  readonly kind: 'none';
  readonly why: string;
}

/** Where a nats-server comes from. `why` is one line for people. */
export type NatsSource =
  | { readonly kind: 'given'; readonly url: string; readonly why: string }
  | { readonly kind: 'binary'; readonly command: string; readonly version: string; readonly why: string }
  | { readonly kind: 'docker'; readonly why: string }
  | NoBroker;

/** Where a Kafka comes from. `why` is one line for people. */
export type KafkaSource =
  | { readonly kind: 'given'; readonly brokers: readonly string[]; readonly why: string }
  | {
      readonly kind: 'jars';
      readonly java: string;
      readonly lib: string;
      readonly version: string;
      readonly why: string;
    }
  | { readonly kind: 'docker'; readonly why: string }
  | NoBroker;

/** What set-up found on this machine. */
export interface BrokerSources {
  readonly nats: NatsSource;
  readonly kafka: KafkaSource;
}

/**
 * What set-up (tools/setup) found: from the environment variable NIOBE_BROKERS that it passes to its command, else
 * from its cache folder, with addresses given by NIOBE_NATS_URL and NIOBE_KAFKA_BROKERS before both.
 */
export function brokerSources(): BrokerSources {
  const passed = process.env['NIOBE_BROKERS'];
  if (passed) return JSON.parse(passed) as BrokerSources;
  const found = fromCache();
  return { nats: givenNats() ?? found.nats, kafka: givenKafka() ?? found.kafka };
}

function fromCache(): BrokerSources {
  const file = inRepository(process.env['NIOBE_CACHE'] || '.niobe', 'brokers.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as BrokerSources;
  const none: NoBroker = { kind: 'none', why: 'brokers are not set up: npm run setup' };
  return { nats: none, kafka: none };
}

function givenNats(): NatsSource | null {
  const url = process.env['NIOBE_NATS_URL'];
  return url ? { kind: 'given', url, why: `${url}, given by NIOBE_NATS_URL` } : null;
}

function givenKafka(): KafkaSource | null {
  const brokers = process.env['NIOBE_KAFKA_BROKERS'];
  return brokers
    ? { kind: 'given', brokers: brokers.split(','), why: `${brokers}, given by NIOBE_KAFKA_BROKERS` }
    : null;
}
