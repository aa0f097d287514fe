import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileIdentity } from './input-file.ts';

/**
 * How far an interrupted replay came: a small file with the number of rows done, in the folder of the deployment, named
 * after the way the events went and the CSV's size and checksum. It is removed when the replay is complete.
 */

export interface ReplayKey {
  readonly file: FileIdentity;
  readonly to: string;
}

export class ReplayState {
  readonly path: string;

  constructor(folder: string, { file, to }: ReplayKey) {
    const crc = file.crc.toString(16).padStart(8, '0');
    this.path = join(folder, `${to}-${file.bytes}-${crc}.json`);
  }

  /** Rows done by earlier runs; 0 if there is no state or it cannot be read, since sending again is harmless. */
  async read(): Promise<number> {
    try {
      const { rowsDone } = JSON.parse(await readFile(this.path, 'utf8')) as { rowsDone?: unknown };
      return typeof rowsDone === 'number' && Number.isSafeInteger(rowsDone) && rowsDone > 0 ? rowsDone : 0;
    } catch {
      return 0;
    }
  }

  /** Replaces the state as a whole: an interrupted write leaves the one before. */
  async write(rowsDone: number): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const temporary = `${this.path}.new`;
    await writeFile(temporary, `${JSON.stringify({ rowsDone })}\n`);
    await rename(temporary, this.path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}
