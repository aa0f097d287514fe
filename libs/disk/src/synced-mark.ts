import { constants, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, getU53, setU53 } from '@niobe/kernel';
import { diskError } from './disk-errors.ts';
import { openIfThere, readUpTo, writeWhole } from './durable-files.ts';
import { IDENTITY_BYTES } from './journal-format.ts';

/**
 * Which round of the journal was the last to be synced: what tells a torn round, of which nobody was told, from a damaged one.
 *
 * The mark is written after the sync of its round and before anybody is told, and is not synced itself. It survives the death of the
 * process. A power loss may leave an older mark: then a last round that does not check is taken for torn, as if there were no mark.
 */

const ROUND_AT = IDENTITY_BYTES;
const CRC_AT = ROUND_AT + 8;
const MARK_BYTES = CRC_AT + 4;

function markFile(folder: string): string {
  return join(folder, 'synced');
}

/** Writes the mark of one store. */
export class SyncedMark {
  readonly #handle: FileHandle;
  readonly #file: string;
  readonly #bytes = new Uint8Array(MARK_BYTES);
  readonly #view: DataView = new DataView(this.#bytes.buffer);

  private constructor(handle: FileHandle, file: string, identity: Uint8Array) {
    this.#handle = handle;
    this.#file = file;
    this.#bytes.set(identity);
  }

  /** @param folder the folder of the journal. */
  static async open(folder: string, identity: Uint8Array): Promise<SyncedMark> {
    const file = markFile(folder);
    try {
      return new SyncedMark(await open(file, constants.O_RDWR | constants.O_CREAT), file, identity);
    } catch (error) {
      throw diskError(error, `opening ${file}`);
    }
  }

  /** Says that `round` is synced. */
  async set(round: number): Promise<void> {
    setU53(this.#view, ROUND_AT, round);
    this.#view.setUint32(CRC_AT, crc32(this.#bytes.subarray(0, CRC_AT)), true);
    try {
      await writeWhole(this.#handle, this.#bytes, 0);
    } catch (error) {
      throw diskError(error, `writing ${this.#file}`);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** The last round that is known to be synced; 0 where no mark of this store checks. */
export async function readSyncedMark(folder: string, identity: Uint8Array): Promise<number> {
  const handle = await openIfThere(markFile(folder));
  if (handle === null) return 0;
  try {
    const bytes = new Uint8Array(MARK_BYTES);
    const isWhole = (await readUpTo(handle, bytes, 0)) === MARK_BYTES;
    const view = new DataView(bytes.buffer);
    const isOurs = Buffer.compare(bytes.subarray(0, IDENTITY_BYTES), identity) === 0;
    if (!isWhole || !isOurs || view.getUint32(CRC_AT, true) !== crc32(bytes.subarray(0, CRC_AT))) return 0;
    return getU53(view, ROUND_AT);
  } finally {
    await handle.close();
  }
}
