/** `npm run check -- <name> [--seed S]`: the end-to-end checks, each against a system it starts itself on free ports. */
import { parseArgs } from 'node:util';
import { messageOf } from '@niobe/kernel';
import { CHECKS } from './checks.ts';
import { Verdict } from './verdict.ts';

const HELP = `npm run check -- <name> [--seed S] [--limit N] [--runs N] [--minutes N] [--keep]

${Object.entries(CHECKS)
  .map(([name, check]) => `  ${name.padEnd(12)} ${check.summary}`)
  .join('\n')}

  --seed S    seed of everything random (default 1); printed, so that a run can be repeated
  --limit N   take only the first N rows of the data, for a quick look
  --runs N    repetitions, where the check repeats
  --minutes N length, where the check soaks a store
  --keep      leave the scratch folder where it is

NIOBE_DATA names the folder of the data sets (default ../shared/data). The last line is "N passed, N failed".`;

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      limit: { type: 'string' },
      runs: { type: 'string' },
      minutes: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const check = CHECKS[positionals[0] ?? ''];
  if (values.help || check === undefined) {
    console.log(HELP);
    return values.help ? 0 : 64;
  }
  const verdict = new Verdict();
  try {
    await check.run(verdict, {
      seed: Number(values.seed),
      limit: values.limit === undefined ? Infinity : Number(values.limit),
      runs: values.runs === undefined ? null : Number(values.runs),
      minutes: values.minutes === undefined ? null : Number(values.minutes),
      keep: values.keep,
      repositoryDir: new URL('../../..', import.meta.url).pathname.replace(/\/$/, ''),
    });
  } catch (error) {
    verdict.expect(
      false,
      `${positionals[0]} ran to its end`,
      error instanceof Error ? (error.stack ?? error.message) : messageOf(error),
    );
  }
  return verdict.close();
}

process.exitCode = await main();
process.exit();
