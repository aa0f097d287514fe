import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, isNiobeError } from '@niobe/kernel';
import { diskError, isMissing } from './disk-errors.ts';
import { readUpTo, syncData, syncFolder, writeWhole } from './durable-files.ts';
import { partHeader } from './journal-format.ts';
import { PART_HEADER_BYTES } from './limits.ts';
import { SyncedMark } from './synced-mark.ts';

/**
 * The journal: a few files of fixed length, each written from front to back, then another, for ever.
 *
 * 1. A part is filled with zeros once. After that a round is one write into space that the file already has, and one fdatasync that
 *    has no metadata to write.
 * 2. A round lies in one part. One that does not fit goes to a part that is *spare*: nothing in it is needed any more.
 * 3. A part becomes spare again when a checkpoint has all its rounds in synced segment files.
 *
 * What is where after a crash is found by the numbers of the rounds alone (journal-scan.ts).
 */

const ZEROS_BYTES = 1024 * 1024;

/** Where a store keeps its journal. */
export interface JournalOptions {
  /** The folder of the parts; it exists. */
  readonly folder: string;
  readonly identity: Uint8Array;
  readonly partBytes: number;
  readonly partsMax: number;
}

interface Part {
  readonly file: string;
  readonly handle: FileHandle;
  /** Highest round in it that may be needed; 0: it is spare. */
  lastRound: number;
}

/** File name of a journal part. */
export function partFile(folder: string, index: number): string {
  return join(folder, `part-${index}`);
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #parts: Part[];
  readonly #mark: SyncedMark;
  #current: Part;
  #at = PART_HEADER_BYTES;

  private constructor(options: JournalOptions, parts: Part[], mark: SyncedMark) {
    this.#options = options;
    this.#parts = parts;
    this.#mark = mark;
    this.#current = parts[0]!;
  }

  /** Takes over the parts that are there, creating the first. None of their rounds may be needed any more. */
  static async open(options: JournalOptions): Promise<Journal> {
    const parts: Part[] = [];
    try {
      for (let index = 0; index < options.partsMax; index++) {
        const part = await openPart(options, index);
        if (part !== null) parts.push(part);
      }
      if (parts.length === 0) parts.push(await createPart(options, 0));
      return new Journal(options, parts, await SyncedMark.open(options.folder, options.identity));
    } catch (error) {
      await closeAll(parts);
      throw error;
    }
  }

  /** Longest round that a part can take. */
  get roundBytesMax(): number {
    return this.#options.partBytes - PART_HEADER_BYTES;
  }

  /** Bytes of parts that are needed or being written. */
  get usedBytes(): number {
    const needed = this.#parts.filter((part) => part === this.#current || part.lastRound > 0);
    return needed.length * this.#options.partBytes;
  }

  hasRoom(bytes: number): boolean {
    return this.#at + bytes <= this.#options.partBytes;
  }

  /** Goes on at the front of a spare part, creating one if need be. False: there is none, and no room for another. */
  async rotate(): Promise<boolean> {
    const part = this.#parts.find(({ lastRound }) => lastRound === 0) ?? (await this.#grow());
    if (part === null) return false;
    this.#current = part;
    this.#at = PART_HEADER_BYTES;
    return true;
  }

  async #grow(): Promise<Part | null> {
    const index = this.#freeIndex();
    if (index === -1) return null;
    try {
      const part = await createPart(this.#options, index);
      this.#parts.push(part);
      return part;
    } catch (error) {
      if (isNiobeError(error, 'DISK_FULL')) return null;
      throw error;
    }
  }

  #freeIndex(): number {
    const taken = new Set(this.#parts.map(({ file }) => file));
    const indexes = Array.from({ length: this.#options.partsMax }, (_, index) => index);
    return indexes.find((index) => !taken.has(partFile(this.#options.folder, index))) ?? -1;
  }

  /** Makes a round durable: one write, one fdatasync. After a failure the journal is of no more use. */
  async append(round: number, bytes: Uint8Array): Promise<void> {
    assert(this.hasRoom(bytes.length), 'a round is written where it has room');
    const { file, handle } = this.#current;
    await writeWhole(handle, bytes, this.#at).catch((error: unknown) => {
      throw diskError(error, `writing ${file}`);
    });
    await syncData(handle, file);
    await this.#mark.set(round);
    this.#at += bytes.length;
    this.#current.lastRound = round;
  }

  /** Rounds below `nextRound` are no longer needed. */
  release(nextRound: number): void {
    for (const part of this.#parts) if (part.lastRound < nextRound) part.lastRound = 0;
  }

  async close(): Promise<void> {
    await this.#mark.close();
    await closeAll(this.#parts);
  }
}

async function closeAll(parts: readonly Part[]): Promise<void> {
  await Promise.allSettled(parts.map(({ handle }) => handle.close()));
}

/** A part of the right length and with this store's header, or null; one that was cut or left half made is removed. */
async function openPart(options: JournalOptions, index: number): Promise<Part | null> {
  const file = partFile(options.folder, index);
  let handle: FileHandle | null = null;
  try {
    handle = await open(file, 'r+');
    if (await isWhole(handle, options)) return { file, handle, lastRound: 0 };
    await handle.close();
    await rm(file);
    return null;
  } catch (error) {
    await handle?.close();
    if (isMissing(error)) return null;
    throw diskError(error, `opening ${file}`);
  }
}

async function isWhole(handle: FileHandle, { identity, partBytes }: JournalOptions): Promise<boolean> {
  const header = partHeader(identity);
  const found = new Uint8Array(header.length);
  await readUpTo(handle, found, 0);
  return (await handle.stat()).size === partBytes && Buffer.compare(found, header) === 0;
}

async function createPart(options: JournalOptions, index: number): Promise<Part> {
  const file = partFile(options.folder, index);
  let handle: FileHandle | null = null;
  try {
    handle = await open(file, 'w+');
    await fill(handle, options);
    await syncData(handle, file);
    await syncFolder(options.folder);
    return { file, handle, lastRound: 0 };
  } catch (error) {
    await handle?.close();
    await rm(file, { force: true });
    throw diskError(error, `creating ${file}`);
  }
}

async function fill(handle: FileHandle, { identity, partBytes }: JournalOptions): Promise<void> {
  const zeros = new Uint8Array(Math.min(ZEROS_BYTES, partBytes));
  for (let at = 0; at < partBytes; at += zeros.length)
    await writeWhole(handle, zeros.subarray(0, Math.min(zeros.length, partBytes - at)), at);
  await writeWhole(handle, partHeader(identity), 0);
}
