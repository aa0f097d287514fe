import { prepareBrokers } from './brokers.mjs';
import { prepareModules } from './modules.mjs';
import { continueWith } from './node.mjs';
import { inRoot } from './paths.mjs';
import { runMain, SetupError } from './setup-error.mjs';

const WISHES = ['auto', 'real', 'embedded'];

/** Brings a fresh machine to the point where everything runs; returns what {@link prepareBrokers} found. */
export async function prepare(args) {
  const wish = brokerWish(args);
  await prepareModules();
  return prepareBrokers(wish);
}

/** Prepares the machine, then goes on as `script` (a path from the root) with this process's arguments. */
export function runPrepared(script) {
  return runMain(async () => {
    const args = process.argv.slice(2);
    const brokers = await prepare(args);
    continueWith(inRoot(script), args, { NIOBE_BROKERS: JSON.stringify(brokers) });
  });
}

/** The value of `--brokers=`; 'embedded' for `--embedded`, else 'auto'. */
function brokerWish(args) {
  if (args.includes('--embedded')) return 'embedded';
  const option = args.findLast((arg) => arg.startsWith('--brokers='));
  const wish = option?.slice('--brokers='.length) ?? 'auto';
  if (!WISHES.includes(wish)) throw new SetupError(`--brokers=${wish} is not one of ${WISHES.join(', ')}`);
  return wish;
}
