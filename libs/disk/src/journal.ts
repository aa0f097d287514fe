import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '@niobe/kernel';
import { diskError } from './disk-errors.ts';
import { syncData, syncFolder, writeWhole } from './durable-files.ts';
import { partHeader } from './journal-format.ts';
import { PART_HEADER_BYTES } from './limits.ts';

/**
 * The journal: a few files of fixed length, written from front to back, one after the other, for ever.
 *
 * 1. A part is filled with zeros once. After that a round is one write into space that the file already has, and one fdatasync that
 *    has no metadata to write.
 * 2. A round lies in one part. One that does not fit goes to the next part that is *spare*: nothing in it is needed any more.
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
  #current: Part;
  #at = PART_HEADER_BYTES;

  private constructor(options: JournalOptions, parts: Part[]) {
    this.#options = options;
    this.#parts = parts;
    this.#current = parts[0]!;
  }

  /** Takes over the parts that are there, creating the first. None of their rounds may be needed any more. */
  static async open(options: JournalOptions): Promise<Journal> {
    const parts = [await openPart(options, 0, true)];
    for (let index = 1; index < options.partsMax; index++) parts.push(await openPart(options, index, false));
    return new Journal(
      options,
      parts.filter((part) => part !== null),
    );
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

  /** Whether {@link rotate} has a part to go to. */
  get hasSpare(): boolean {
    return this.#parts.length < this.#options.partsMax || this.#spare() !== undefined;
  }

  #spare(): Part | undefined {
    return this.#parts.find((part) => part !== this.#current && part.lastRound === 0);
  }

  /** Goes on with another part. `DISK_FULL`: there is no space to create one, and all is as it was. */
  async rotate(): Promise<void> {
    assert(this.hasSpare, 'the journal rotates to a part that is spare');
    this.#current = this.#spare() ?? (await this.#grow());
    this.#at = PART_HEADER_BYTES;
  }

  async #grow(): Promise<Part> {
    const part = await openPart(this.#options, this.#parts.length, true);
    assert(part !== null, 'a part that may be created is there');
    this.#parts.push(part);
    return part;
  }

  /** Makes a round durable: one write, one fdatasync. After a failure the journal is of no more use. */
  async append(round: number, bytes: Uint8Array): Promise<void> {
    assert(this.hasRoom(bytes.length), 'a round is written where it has room');
    const { file, handle } = this.#current;
    await writeWhole(handle, bytes, this.#at).catch((error: unknown) => {
      throw diskError(error, `writing ${file}`);
    });
    await syncData(handle, file);
    this.#at += bytes.length;
    this.#current.lastRound = round;
  }

  /** Rounds below `nextRound` are no longer needed. */
  release(nextRound: number): void {
    for (const part of this.#parts) if (part !== this.#current && part.lastRound < nextRound) part.lastRound = 0;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#parts.map(({ handle }) => handle.close()));
  }
}

async function openPart(options: JournalOptions, index: number, mayCreate: true): Promise<Part>;
async function openPart(options: JournalOptions, index: number, mayCreate: boolean): Promise<Part | null>;
async function openPart(options: JournalOptions, index: number, mayCreate: boolean): Promise<Part | null> {
  const file = partFile(options.folder, index);
  try {
    const there = await openWhole(file, options);
    if (there !== null) return { file, handle: there, lastRound: 0 };
    return mayCreate ? { file, handle: await preallocate(file, options), lastRound: 0 } : null;
  } catch (error) {
    throw diskError(error, `opening ${file}`);
  }
}

/** A part of the right length and this store's header; one that was cut or left half made is removed. */
async function openWhole(file: string, options: JournalOptions): Promise<FileHandle | null> {
  const handle = await open(file, 'r+').catch(() => null);
  if (handle === null) return null;
  const header = partHeader(options.identity);
  const found = new Uint8Array(header.length);
  await handle.read(found, 0, found.length, 0);
  const isWhole = (await handle.stat()).size === options.partBytes && Buffer.compare(found, header) === 0;
  if (isWhole) return handle;
  await handle.close();
  await rm(file);
  return null;
}

async function preallocate(file: string, { folder, identity, partBytes }: JournalOptions): Promise<FileHandle> {
  const handle = await open(file, 'w+');
  try {
    const zeros = new Uint8Array(Math.min(ZEROS_BYTES, partBytes));
    for (let at = 0; at < partBytes; at += zeros.length)
      await writeWhole(handle, zeros.subarray(0, Math.min(zeros.length, partBytes - at)), at);
    await writeWhole(handle, partHeader(identity), 0);
    await syncData(handle, file);
    await syncFolder(folder);
    return handle;
  } catch (error) {
    await handle.close();
    await rm(file, { force: true });
    throw error;
  }
}
