import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { NiobeError } from '@niobe/kernel';
import { diskError, isMissing, isThere } from './disk-errors.ts';

/**
 * One process per folder, by a file that names its owner.
 *
 * 1. The owner is a process id with the time at which that process started and the boot it started in: an id that was given to
 *    another process since, or that a machine of the same name had before, is nobody.
 * 2. The file appears whole or not at all: it is written under a name of its own and linked.
 * 3. A stale one is moved aside before it is removed; if what was moved is not what was looked at, somebody else was faster, and it is put back.
 *
 * Where there is no /proc only the id is known, and a process of the same id keeps the folder.
 */

interface Owner {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
}

const ATTEMPTS_MAX = 8;

export class FolderLock {
  readonly #file: string;
  readonly #content: string;
  /** The id of the dead process that had left its lock, or null. */
  readonly tookOverFrom: number | null;

  private constructor(file: string, content: string, tookOverFrom: number | null) {
    this.#file = file;
    this.#content = content;
    this.tookOverFrom = tookOverFrom;
  }

  /** Takes the folder for this process. `BAD_CONFIG` naming the process that has it. */
  static async take(folder: string): Promise<FolderLock> {
    const file = join(folder, 'lock');
    const mark = randomBytes(8).toString('hex');
    const content = `${JSON.stringify({ ...(await ownerOf(process.pid)), mark })}\n`;
    let stalePid: number | null = null;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (await place(file, `${file}.${mark}`, content)) return new FolderLock(file, content, stalePid);
      stalePid = (await removeStale(folder, file, `${file}.${mark}`)) ?? stalePid;
    }
    throw new NiobeError('BAD_CONFIG', `${file} changes all the time: more than one process wants ${folder}`);
  }

  /** Gives the folder back. */
  async release(): Promise<void> {
    const there = await readLock(this.#file);
    if (there === this.#content) await rm(this.#file, { force: true });
  }
}

async function place(file: string, own: string, content: string): Promise<boolean> {
  try {
    await writeFile(own, content);
    await link(own, file);
    return true;
  } catch (error) {
    if (isThere(error)) return false;
    throw diskError(error, `creating ${file}`);
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes the lock of a process that is gone and says its id; null if it went by itself. */
async function removeStale(folder: string, file: string, aside: string): Promise<number | null> {
  const seen = await readLock(file);
  if (seen === null) return null;
  const owner = parseOwner(seen);
  if (owner !== null && (await isAlive(owner))) throw inUse(folder, file, owner.pid);
  await rename(file, aside).catch((error: unknown) => {
    if (!isMissing(error)) throw diskError(error, `moving ${file}`);
  });
  if ((await readLock(aside)) !== seen) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
  return owner?.pid ?? null;
}

function inUse(folder: string, file: string, pid: number): NiobeError {
  const message = `${folder} is in use by process ${pid} (${file}): end it, or give this backup server a folder of its own`;
  return new NiobeError('BAD_CONFIG', message, { pid });
}

async function readLock(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw diskError(error, `reading ${file}`);
  }
}

/** Null for what no owner wrote: it was cut by a power loss. */
function parseOwner(content: string): Owner | null {
  try {
    const { pid, started, boot } = JSON.parse(content) as Partial<Owner>;
    if (typeof pid !== 'number' || typeof started !== 'string' || typeof boot !== 'string') return null;
    return { pid, started, boot };
  } catch {
    return null;
  }
}

async function isAlive(owner: Owner): Promise<boolean> {
  const now = await ownerOf(owner.pid);
  if (now === null) return false;
  return now.started === owner.started && now.boot === owner.boot;
}

/** The living process of this id, or null. A process that ended and was not waited for is none. */
async function ownerOf(pid: number): Promise<Owner | null> {
  const boot = await readProc('sys/kernel/random/boot_id');
  if (boot === null) return isKnown(pid) ? { pid, started: '', boot: '' } : null;
  const stat = await readProc(`${pid}/stat`);
  if (stat === null) return null;
  // The command's name may hold anything, so the fields are counted from behind it: state is the 3rd, start time the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0]!;
  return state === 'Z' || state === 'X' ? null : { pid, started: fields[19] ?? '', boot: boot.trim() };
}

async function readProc(name: string): Promise<string | null> {
  return readFile(`/proc/${name}`, 'utf8').catch(() => null);
}

function isKnown(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
