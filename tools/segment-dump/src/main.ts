/** `npm run segment-dump -- <file>`: prints a segment of a partition's log. */
import { parseArgs } from 'node:util';
import { isNiobeError, messageOf } from '@niobe/kernel';
import { dumpSegment } from './dump-segment.ts';
import { readSegmentFile } from './segment-file.ts';

const HELP = `npm run segment-dump -- <file> [--cells] [--json] [--durable BYTES]

Prints what a segment file holds: its start, its batches, and how it ends. The file is one that a backup server keeps
(<folder>/segments/<partition>/<segment>-<epoch>.segment) or the bare bytes of a segment.

  --cells          the entries of each batch too, keys and records decoded
  --json           one JSON object a line
  --durable BYTES  so many bytes were durable, as the ledger says: what does not check below them is damage, not a torn tail

Exit code 0: every byte checks, or what does not may be a torn tail. 1: damage, or another format. 64: wrong arguments.`;

const EXIT_DAMAGED = 1;
const EXIT_USAGE = 64;

function main(): number {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      cells: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      durable: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  const [path] = positionals;
  const durableBytes = Number(values.durable);
  if (values.help || path === undefined || positionals.length > 1 || !Number.isSafeInteger(durableBytes)) {
    console.log(HELP);
    return values.help ? 0 : EXIT_USAGE;
  }
  const { bytes } = readSegmentFile(path);
  const options = { json: values.json, cells: values.cells, durableBytes };
  return dumpSegment(bytes, options, (line) => console.log(line)) ? 0 : EXIT_DAMAGED;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = isNiobeError(error) ? EXIT_DAMAGED : EXIT_USAGE;
}
