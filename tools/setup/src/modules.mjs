import { existsSync, statSync, utimesSync } from 'node:fs';
import { capture, findOnPath, reasonIn } from './command.mjs';
import { withCache } from './cache.mjs';
import { inRoot } from './paths.mjs';
import { say, SetupError } from './setup-error.mjs';

const LOCK_FILE = inRoot('package-lock.json');
// npm writes this file last: where it exists the installation went through.
const INSTALLED = inRoot('node_modules/.package-lock.json');
// npm writes the two lock files in either order within the same moment.
const SAME_MOMENT_MS = 5_000;

/** Installs `node_modules` where they are missing or older than the lock file. */
export async function prepareModules() {
  if (!modulesAreStale()) return;
  await withCache('modules', async () => {
    // Another set-up may have installed them while this one waited.
    const why = modulesAreStale();
    if (why) await install(why);
  });
}

function modulesAreStale() {
  if (!existsSync(INSTALLED)) return 'node_modules is missing or incomplete';
  const behindMs = statSync(LOCK_FILE).mtimeMs - statSync(INSTALLED).mtimeMs;
  return behindMs > SAME_MOMENT_MS ? 'node_modules is older than package-lock.json' : null;
}

async function install(why) {
  say('modules', `${why}: npm ci`);
  let result = await npm('ci');
  if (result.code !== 0) {
    // A registry may lack optional builds of other platforms, which `npm ci` insists on.
    say('modules', `npm ci failed (${reasonIn(result.output)}): npm install --no-save`);
    result = await npm('install', '--no-save');
  }
  if (result.code !== 0) {
    throw new SetupError(
      `cannot install node_modules: ${reasonIn(result.output)}; check the network and npm's registry setting, then try again`,
    );
  }
  const now = new Date();
  utimesSync(INSTALLED, now, now);
}

function npm(...args) {
  const options = { cwd: inRoot(), env: { ...process.env, npm_config_audit: 'false', npm_config_fund: 'false' } };
  // Under `npm run` this is the very npm that was called, also where none is on PATH.
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return capture(process.execPath, [script, ...args], options);
  if (!findOnPath('npm')) throw new SetupError('npm is not on PATH: install Node.js with npm');
  return capture('npm', args, options);
}
