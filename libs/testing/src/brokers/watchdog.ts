import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** Stands down a watchdog: the watched process has ended. */
export type StandDown = () => void;

// The shell waits on a pipe that only this process holds. When this process ends, in whatever way, the pipe closes,
// `read` fails, and the shell kills what it watches.
const SCRIPT = 'read -r word; [ "$word" = done ] || kill -KILL "$0"';

/**
 * Makes sure that process `pid` does not outlive this one, not even when this one is killed with SIGKILL.
 * The caller stands it down when `pid` has ended, before the system can give its number to another process.
 */
export function killWithParent(pid: number): StandDown {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own session: Ctrl-C on the terminal must not end the watchdog before the watched.
    detached: true,
  });
  const pipe = shell.stdin as Socket;
  // A watchdog that was killed must not take this process with it by an unhandled EPIPE.
  pipe.on('error', () => undefined);
  shell.on('error', () => undefined);
  shell.unref();
  pipe.unref();
  return () => pipe.end('done\n');
}
