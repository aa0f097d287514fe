import { parseArgs } from 'node:util';
import { NiobeError } from '@niobe/kernel';
import { DEFAULT_PORT_BASE, PORT_SPAN } from './ports.ts';

export const HELP: string = `usage: npm start -- [options]

Starts Niobe on this machine: nats-server, Kafka, two backups, two storage shards, the collector (ingest),
the aggregator (analytics), the loader of the graph, its searches (traversal), and a generator of clicks.
Ctrl-C stops everything; the next start continues with the data of this one.

  --fresh              forget the data that the deployment has from earlier starts
  --brokers=WHICH      auto (default): real ones where this machine has them, else embedded
                       real: nats-server and Kafka, or an error
                       embedded: as --embedded
  --embedded           everything in one process, no broker, data in memory only
  --no-clicks          no click generator
  --rate N             clicks a second (default 500)
  --deployment NAME    a folder of infra/deployments, or a path to one (default shop);
                       the click generator runs for shop only
  --rebuild-cube NAME  count this cube anew from the start of its topics; as often as needed
  --port-base N        first port (default ${DEFAULT_PORT_BASE}); the others follow up to N+${PORT_SPAN}
  --help               this text

Ports, from the base: collector +0, analytics +10, shards +20 +21, backups +30 +31, NATS +40, Kafka +50 +51,
traversal +60, loader +65.
Data and logs: .niobe/local/
`;

export type BrokerWish = 'auto' | 'real' | 'embedded';

export interface DevOptions {
  readonly fresh: boolean;
  readonly brokers: BrokerWish;
  readonly clicks: boolean;
  readonly clicksPerSecond: number;
  /** As given: a name or a path. */
  readonly deployment: string;
  readonly rebuildCubes: readonly string[];
  readonly portBase: number;
}

const PORT_MAX = 65_535;
const UNPRIVILEGED_PORT = 1_024;
const RATE_MAX = 1_000_000;

/** The options, or null where help was asked for. `BAD_REQUEST` says in one line what cannot be used. */
export function readOptions(args: readonly string[]): DevOptions | null {
  const values = parse(args);
  if (values.help) return null;
  return {
    fresh: values.fresh,
    brokers: values.embedded ? 'embedded' : brokerWish(values.brokers),
    clicks: !values['no-clicks'],
    clicksPerSecond: wholeNumber('--rate', values.rate, 1, RATE_MAX),
    deployment: values.deployment,
    rebuildCubes: values['rebuild-cube'],
    portBase: wholeNumber('--port-base', values['port-base'], UNPRIVILEGED_PORT, PORT_MAX - PORT_SPAN),
  };
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is parseArgs' own
function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        fresh: { type: 'boolean', default: false },
        embedded: { type: 'boolean', default: false },
        brokers: { type: 'string', default: 'auto' },
        'no-clicks': { type: 'boolean', default: false },
        rate: { type: 'string', default: '500' },
        deployment: { type: 'string', default: 'shop' },
        'rebuild-cube': { type: 'string', multiple: true, default: [] },
        'port-base': { type: 'string', default: String(DEFAULT_PORT_BASE) },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function brokerWish(text: string): BrokerWish {
  if (text === 'auto' || text === 'real' || text === 'embedded') return text;
  throw wrong(`--brokers=${text} is none of auto, real, embedded`);
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw wrong(`${option} ${text} is not a whole number from ${least} to ${most}`);
}

function wrong(message: string): NiobeError {
  return new NiobeError('BAD_REQUEST', `${message}; see --help`);
}
