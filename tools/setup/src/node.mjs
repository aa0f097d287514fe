import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter } from 'node:path';
import { inRoot } from './paths.mjs';
import { SetupError } from './setup-error.mjs';
import { parseVersion } from './version.mjs';

const OLDEST_MAJOR = 24;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Path of the Node.js that the project runs on: the one in node_modules, else this one where it is new enough. */
export function projectNode() {
  const own = inRoot('node_modules/node/bin/node');
  try {
    accessSync(own, constants.X_OK);
    return own;
  } catch {
    if (parseVersion(process.versions.node)[0] >= OLDEST_MAJOR) return process.execPath;
  }
  throw new SetupError(
    `Node.js ${OLDEST_MAJOR} or newer is needed and this is ${process.version}: node_modules/node has no binary, ` +
      `so allow its install script and run npm ci, or install a newer Node.js`,
  );
}

/**
 * Goes on as `node --conditions=@niobe/source <script> <args>` under the project's Node.js.
 *
 * Replaces this process where Node.js can, so that nothing stands between the caller's signals and the script.
 * Otherwise runs it as a child, passes signals on and ends with its exit code.
 */
export function continueWith(script, args, extraEnv) {
  const node = projectNode();
  const env = {
    ...process.env,
    ...extraEnv,
    PATH: [inRoot('node_modules/.bin'), process.env.PATH].join(delimiter),
  };
  const nodeArgs = ['--conditions=@niobe/source', script, ...args];
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    process.execve(node, [node, ...nodeArgs], env);
  }
  const child = spawn(node, nodeArgs, { stdio: 'inherit', env });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal) process.stderr.write(`niobe: error    ${script} was ended by ${signal}\n`);
    for (const forwarded of FORWARDED) process.removeAllListeners(forwarded);
  });
}
