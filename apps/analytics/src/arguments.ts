import { NiobeError } from '@niobe/kernel';

const REBUILD = '--rebuild-cube';

/**
 * Names after each `--rebuild-cube` of a command line. Every start with the option counts the cubes anew, so it is given once and not
 * left in a supervisor's configuration. Throws `BAD_CONFIG` for anything else.
 */
export function cubesToRebuild(args: readonly string[]): string[] {
  const names: string[] = [];
  for (let at = 0; at < args.length; at += 2) {
    const name = args[at + 1];
    if (args[at] !== REBUILD || name === undefined)
      throw new NiobeError('BAD_CONFIG', `${args[at]}: not known; possible is ${REBUILD} <name>, as often as needed`);
    names.push(name);
  }
  return names;
}
