import { spawn } from 'node:child_process';
import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Runs a command to its end and collects what it printed.
 * Returns `{ code, output }`; a command that cannot be started has code -1 and the reason as output.
 */
export function capture(command, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.on('error', (error) => done({ code: -1, output: error.message }));
    child.on('close', (code) => done({ code: code ?? -1, output: output.trim() }));
  });
}

/** Path of an executable on PATH with its links resolved, or null. */
export function findOnPath(name) {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    try {
      accessSync(join(folder, file), constants.X_OK);
      return realpathSync(join(folder, file));
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return null;
}

/** The last line that carries words: where most tools put their reason. At most 200 characters. */
function lastLine(output) {
  const lines = output.split('\n').map((line) => line.trim());
  return (lines.findLast((line) => /\w/.test(line)) ?? 'it printed nothing').slice(0, 200);
}

/** The line that names the fault, else the last line. */
export function reasonIn(output) {
  const names = (line) => /\b(error|fatal|cannot|could not)\b/i.test(line) && !/\berror( code \w+)?$/.test(line.trim());
  const fault = output.split('\n').find(names);
  return lastLine(fault ?? output);
}
