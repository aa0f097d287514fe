import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { NiobeError } from '@niobe/kernel';

export const HELP = `usage: npm run replay -- <file.csv[.gz]> --deployment <name> [options]

Sends the rows of a CSV file as events. The deployment's replay.json says how a row becomes an event.

  --deployment NAME   a folder of infra/deployments, or a path to one (required)
  --to WHERE          collector (default): POST /v1/batch; kafka: straight into the topics
  --url URL           collector (default http://127.0.0.1:7700)
  --brokers LIST      Kafka, host:port with commas (default 127.0.0.1:7750)
  --rate N            rows a second (default: as fast as they are taken)
  --restart           from the first row, also where an earlier replay was interrupted
  --help              this text

An interrupted replay goes on where it stopped when the same command is given again. A row sent twice
keeps its event id and is counted once, within the deployment's window for duplicates.
`;

export type Destination = 'collector' | 'kafka';

export interface ReplayCommand {
  readonly file: string;
  /** Folder of the deployment. */
  readonly deployment: string;
  readonly to: Destination;
  readonly url: string;
  readonly brokers: readonly string[];
  readonly ratePerSecond: number;
  readonly restart: boolean;
}

/** Folder of the repository; the same from `src` and from `dist`. */
export const REPOSITORY: string = resolve(import.meta.dirname, '../../..');

/** The command, or null where help was asked for. `BAD_REQUEST` says in one line what cannot be used. */
export function readOptions(args: readonly string[]): ReplayCommand | null {
  const { values, positionals } = parse(args);
  if (values.help) return null;
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw wrong('name one CSV file');
  if (values.deployment === undefined) throw wrong('--deployment is missing');
  const to = values.to;
  if (to !== 'collector' && to !== 'kafka') throw wrong(`--to ${to} is neither collector nor kafka`);
  if (!URL.canParse(values.url)) throw wrong(`--url ${values.url} is no URL`);
  const ratePerSecond = values.rate === undefined ? Number.POSITIVE_INFINITY : Number(values.rate);
  if (!(ratePerSecond > 0)) throw wrong(`--rate ${values.rate} is not a number above 0`);
  return {
    file,
    deployment: deploymentFolder(values.deployment),
    to,
    url: values.url,
    brokers: values.brokers.split(','),
    ratePerSecond,
    restart: values.restart,
  };
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is parseArgs' own
function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        deployment: { type: 'string' },
        to: { type: 'string', default: 'collector' },
        url: { type: 'string', default: 'http://127.0.0.1:7700' },
        brokers: { type: 'string', default: '127.0.0.1:7750' },
        rate: { type: 'string' },
        restart: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function wrong(message: string): NiobeError {
  return new NiobeError('BAD_REQUEST', `${message}; see --help`);
}

/** Folder of a deployment: a name among the shipped ones, else a path. */
export function deploymentFolder(nameOrPath: string): string {
  const shipped = resolve(REPOSITORY, 'infra/deployments', nameOrPath);
  return existsSync(shipped) ? shipped : resolve(nameOrPath);
}
