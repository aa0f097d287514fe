import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/**
 * What makes sure that a process number still means the process it meant: the moment it started and its command line. Numbers are
 * given again, and a signal must never reach a stranger.
 */
export interface ProcessIdentity {
  /** What the process is to us, such as `shard-0`. */
  readonly name: string;
  readonly pid: number;
  /** In units of the operating system; comparable on one machine between two boots only together with {@link command}. */
  readonly started: string;
  readonly command: string;
}

/** Where in /proc/<pid>/stat the start time is, counted from behind the command in parentheses. */
const STAT_START_FIELD = 19;
const HAS_PROC = existsSync('/proc/self/stat');

/** The identity of a running process, or null if there is none with this number. */
export function identify(name: string, pid: number): ProcessIdentity | null {
  try {
    return HAS_PROC ? fromProc(name, pid) : fromPs(name, pid);
  } catch {
    return null;
  }
}

/** Whether the very process is still running. */
export function isRunning(identity: ProcessIdentity): boolean {
  const present = identify(identity.name, identity.pid);
  return present !== null && present.started === identity.started && present.command === identity.command;
}

function fromProc(name: string, pid: number): ProcessIdentity | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not looked yet.
  if (fields[0] === 'Z') return null;
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  return { name, pid, started: fields[STAT_START_FIELD] ?? '', command };
}

function fromPs(name: string, pid: number): ProcessIdentity | null {
  const ask = (column: string): string =>
    execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
  const started = ask('lstart');
  return started === '' ? null : { name, pid, started, command: ask('command') };
}

/** Memory the process has in RAM, or null where the system does not say. */
export function residentBytes(pid: number): number | null {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? null : Number(match[1]) * 1024;
  } catch {
    return null;
  }
}
