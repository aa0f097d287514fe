/** `npm run bench -- <group> [--json] [--rounds N] [--cells N,N]`: figures, each beside a reference that is measured in the same run. */
import { parseArgs } from 'node:util';
import { GROUPS, groupNames } from './groups.ts';
import { machineLoad, print } from './measure.ts';

const HELP = `npm run bench -- [group ...] [--json] [--rounds N] [--cells N,N]

${Object.entries(GROUPS)
  .map(([name, group]) => `  ${name.padEnd(16)} ${group.summary}`)
  .join('\n')}

  --rounds N   rounds of candidate and reference in turn; the median is printed (default: the group's own)
  --cells N,N  how many cells the groups of the store are measured with (default: the group's own)
  --json       one JSON line for each measure

Without a group: all of them; \`store\` is all groups of the store. NIOBE_PEERS names the folder of the reference programs (default
../shared/peers).`;

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      cells: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.find((name) => groupNames(name).length === 0);
  if (values.help || unknown !== undefined) {
    if (unknown !== undefined) console.error(`bench: there is no group "${unknown}"`);
    console.log(HELP);
    return unknown === undefined ? 0 : 64;
  }
  const names = positionals.length === 0 ? Object.keys(GROUPS) : positionals.flatMap(groupNames);
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  const cells = values.cells === undefined ? null : values.cells.split(',').map(Number);
  for (const name of names) {
    console.error(`${name}: load of the machine before the run ${machineLoad()}`);
    for (const measure of (await GROUPS[name]?.run({ rounds, cells })) ?? []) print(measure, values.json);
  }
  return 0;
}

process.exitCode = await main();
process.exit();
