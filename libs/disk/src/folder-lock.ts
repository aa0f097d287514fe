import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NiobeError } from '@niobe/kernel';
import { diskError } from './disk-errors.ts';

/**
 * One process per folder, by files that name who wants it. Announce, then look.
 *
 * 1. Whoever wants the folder first creates a file of its own, and then lists all such files. If another living process has one, it
 *    takes its own away and is refused. Of two that come at a time the one that lists last sees the other, so never both have the
 *    folder; it may be that neither has.
 * 2. A file says all by its name, so it is there whole or not at all; and no name is used twice, so a file of a process that has ended
 *    can be removed by anybody at any time.
 * 3. A process is its id, the time it started, and the boot it started in: an id that was given to another process since is nobody.
 *    Where there is no /proc only the id is known, and a process of the same id keeps the folder.
 */

interface Owner {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
}

const FILE_NAME = /^lock\.(\d+)\.(\w+)\.(\w+)\.\w+$/;
const UNKNOWN = 'unknown';

export class FolderLock {
  readonly #file: string;
  /** The id of a process that has ended and had left its lock, or null. */
  readonly tookOverFrom: number | null;

  private constructor(file: string, tookOverFrom: number | null) {
    this.#file = file;
    this.tookOverFrom = tookOverFrom;
  }

  /** Takes the folder for this process. `BAD_CONFIG` naming the process that has it. */
  static async take(folder: string): Promise<FolderLock> {
    const own = fileNameOf((await ownerOf(process.pid))!);
    const file = join(folder, own);
    try {
      await writeFile(file, '', { flag: 'wx' });
      return new FolderLock(file, await removeStale(folder, own));
    } catch (error) {
      await rm(file, { force: true });
      throw diskError(error, `locking ${folder}`);
    }
  }

  /** Gives the folder back. */
  async release(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

/** Throws if another living process has a lock; removes those of processes that have ended, and gives the id of one of them. */
async function removeStale(folder: string, own: string): Promise<number | null> {
  let stalePid: number | null = null;
  for (const name of await readdir(folder)) {
    const owner = name === own ? null : readFileName(name);
    if (owner === null) continue;
    if (await isAlive(owner)) throw inUse(folder, name, owner.pid);
    await rm(join(folder, name), { force: true });
    stalePid = owner.pid;
  }
  return stalePid;
}

function inUse(folder: string, name: string, pid: number): NiobeError {
  const message = `${folder} is in use by process ${pid} (${name}): end it, or give this backup server a folder of its own`;
  return new NiobeError('BAD_CONFIG', message, { pid });
}

function fileNameOf({ pid, started, boot }: Owner): string {
  return `lock.${pid}.${started}.${boot}.${randomBytes(8).toString('hex')}`;
}

function readFileName(name: string): Owner | null {
  const match = FILE_NAME.exec(name);
  return match === null ? null : { pid: Number(match[1]), started: match[2]!, boot: match[3]! };
}

async function isAlive(owner: Owner): Promise<boolean> {
  const now = await ownerOf(owner.pid);
  return now !== null && now.started === owner.started && now.boot === owner.boot;
}

/** The living process of this id, or null. A process that ended and was not waited for is none. */
async function ownerOf(pid: number): Promise<Owner | null> {
  const boot = await readProc('sys/kernel/random/boot_id');
  if (boot === null) return isKnown(pid) ? { pid, started: UNKNOWN, boot: UNKNOWN } : null;
  const stat = await readProc(`${pid}/stat`);
  if (stat === null) return null;
  // The command's name may hold anything, so the fields are counted from behind it: state is the 3rd, start time the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return { pid, started: fields[19] ?? UNKNOWN, boot: boot.trim().replaceAll('-', '') };
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
