import { parseArgs } from 'node:util';
import { NiobeError } from '@niobe/kernel';
import { GRAPH_FORMATS, type GraphFormat } from '@niobe/loader';
import { deploymentFolder } from '@niobe/tool-replay';

export const HELP = `usage: npm run load -- graph <file> --format <format> --deployment <name> [options]

Loads the edges of a file, and the vertices they join, into a running system.

  --format FORMAT     snap: two keys a line, between tabs or spaces; # begins a comment
                      csv: two keys a line, then perhaps counters; the first line may name the columns
                      graphalytics: a pair of files, name.v and name.e; <file> is either of them, the name, or their folder
  --deployment NAME   a folder of infra/deployments, or a path to one (required)
  --edge TYPE         the edge type of the deployment (needed where it declares several)
  --nats URL          NATS of the running system (default nats://127.0.0.1:7740)
  --header            the first line of a csv file names the columns (where keys are integers that is seen)
  --skip-bad          pass over lines that are no edge and count them (default: the first one ends the load)
  --help              this text

Files may be compressed with gzip. An interrupted load goes on where it stopped when the same command is given again; a file that is
in is not loaded twice.
`;

export interface LoadCommand {
  readonly path: string;
  readonly format: GraphFormat;
  /** Folder of the deployment. */
  readonly deployment: string;
  /** Null: the only one there is. */
  readonly edge: string | null;
  readonly nats: string;
  readonly hasHeader: boolean;
  readonly skipsBad: boolean;
}

const NATS_URL = 'nats://127.0.0.1:7740';

/** The command, or null where help was asked for. `BAD_REQUEST` says in one line what cannot be used. */
export function readOptions(args: readonly string[]): LoadCommand | null {
  const { values, positionals } = parse(args);
  if (values.help) return null;
  const [what, path] = positionals;
  if (what !== 'graph') throw wrong(what === undefined ? 'say what to load: graph <file>' : `cannot load "${what}"`);
  if (path === undefined || positionals.length > 2) throw wrong('name one file');
  const format = GRAPH_FORMATS.find((known) => known === values.format);
  if (format === undefined)
    throw wrong(`--format ${JSON.stringify(values.format)} is none of ${GRAPH_FORMATS.join(', ')}`);
  if (values.deployment === undefined) throw wrong('--deployment is missing');
  if (!URL.canParse(values.nats)) throw wrong(`--nats ${values.nats} is no URL`);
  if (values.header && format !== 'csv') throw wrong('--header is for csv files');
  return {
    path,
    format,
    deployment: deploymentFolder(values.deployment),
    edge: values.edge ?? null,
    nats: values.nats,
    hasHeader: values.header,
    skipsBad: values['skip-bad'],
  };
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is parseArgs' own
function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        format: { type: 'string', default: '' },
        deployment: { type: 'string' },
        edge: { type: 'string' },
        nats: { type: 'string', default: NATS_URL },
        header: { type: 'boolean', default: false },
        'skip-bad': { type: 'boolean', default: false },
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
