import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';

/** Log files of supervised processes: each process appends to its own, and the end of it explains a death. */

/** A log that is longer when its process starts is put aside as `<name>.1` first, replacing the one before. */
const ROTATE_BYTES = 16 * 1024 * 1024;
/** A tail is looked for in this much of the end of the file. */
const TAIL_BYTES = 16 * 1024;
const LINE_CHARS_MAX = 200;
/** Lines that only say where in the code: the words of an error stand above them. */
const NOISE = /^\s*$|^\s+at |^Node\.js v/;

/** Opens the log for appending; the caller closes the descriptor. */
export function openLog(path: string): number {
  if (logBytes(path) > ROTATE_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a');
}

/** Length of a log; 0 if there is none. */
export function logBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * The last lines that a log got behind its first `fromBytes`, for people: structured lines are reduced to level, message and error.
 * Empty if there is no log. A log shorter than `fromBytes` was put aside meanwhile and is looked at as a whole.
 */
export function logTail(path: string, lines: number, fromBytes = 0): string[] {
  return readEnd(path, fromBytes)
    .split('\n')
    .filter((line) => !NOISE.test(line))
    .slice(-lines)
    .map((line) => readable(line).slice(0, LINE_CHARS_MAX));
}

function readEnd(path: string, fromBytes: number): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(file);
    const present = size >= fromBytes ? size - fromBytes : size;
    const bytes = Buffer.alloc(Math.min(present, TAIL_BYTES));
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
  } finally {
    closeSync(file);
  }
}

interface LogLine {
  readonly level?: unknown;
  readonly msg?: unknown;
  readonly error?: unknown;
}

function readable(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { level, msg, error } = JSON.parse(line) as LogLine;
    return [level, msg, error].filter((part) => typeof part === 'string').join(' ');
  } catch {
    return line;
  }
}
