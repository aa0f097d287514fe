import { open, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskError, isMissing, isUnreadable } from './disk-errors.ts';
import { makeFolder, readUpTo, syncData, syncFolder, writeWhole } from './durable-files.ts';
import { atATime } from './at-a-time.ts';
import { FILES_AT_A_TIME, SEGMENT_HEADER_BYTES } from './limits.ts';
import { segmentFile, segmentHeader, type SegmentName } from './segment-name.ts';

/**
 * The segment files, opened on demand; the ones not used for longest are closed when there are too many.
 *
 * It remembers which files and folders have changed since they were synced, so that {@link sync} makes all that was written last.
 * Order of changes to one file is the caller's.
 */

interface OpenFile {
  readonly path: string;
  readonly handle: Promise<FileHandle>;
  /** Whether it would have been created. */
  readonly creates: boolean;
  users: number;
  /** Closed when nobody uses it. */
  isForgotten: boolean;
  /** Its path is no longer its own. */
  isRemoved: boolean;
}

/** Where the files are and what is done when one of them cannot be synced: the store must end, whoever called. */
export interface SegmentFilesOptions {
  /** The folder of the segment files; it exists. */
  readonly folder: string;
  readonly openFilesMax: number;
  readonly onSyncFailure: (error: unknown) => void;
}

export class SegmentFiles {
  readonly #options: SegmentFilesOptions;
  /** By path; the one used last is the last. */
  readonly #open = new Map<string, OpenFile>();
  readonly #changedFiles = new Set<string>();
  readonly #changedFolders = new Set<string>();

  constructor(options: SegmentFilesOptions) {
    this.#options = options;
  }

  get openFiles(): number {
    return this.#open.size;
  }

  pathOf(name: SegmentName): string {
    return join(this.#options.folder, segmentFile(name));
  }

  /** Whether the file was written since it was synced. */
  isChanged(name: SegmentName): boolean {
    return this.#changedFiles.has(this.pathOf(name));
  }

  /** Writes pieces that follow each other, from `offset` of the segment on; the file is created if need be. */
  async write(name: SegmentName, offset: number, pieces: readonly Uint8Array[]): Promise<void> {
    const position = SEGMENT_HEADER_BYTES + offset;
    await this.#change(name, (handle) => writePieces(handle, pieces, position));
  }

  /** Cuts the segment to `length` bytes; what is shorter stays as it is. */
  async truncate(name: SegmentName, length: number): Promise<void> {
    await this.#change(name, async (handle) => {
      const { size } = await handle.stat();
      if (size > SEGMENT_HEADER_BYTES + length) await handle.truncate(SEGMENT_HEADER_BYTES + length);
    });
  }

  /** Writes the header anew. */
  async rewriteHeader(name: SegmentName): Promise<void> {
    await this.#change(name, (handle) => writeWhole(handle, segmentHeader(name), 0));
  }

  async #change(name: SegmentName, work: (handle: FileHandle) => Promise<void>): Promise<void> {
    const path = this.pathOf(name);
    await this.#use(name, true, async (handle) => {
      try {
        await work(handle);
      } catch (error) {
        throw diskError(error, `writing ${path}`);
      } finally {
        // Not before: a sync that ran meanwhile has missed it.
        this.#changedFiles.add(path);
      }
    });
  }

  /** Removes the file, if there is one. */
  async remove(name: SegmentName): Promise<void> {
    const path = this.pathOf(name);
    const file = this.#open.get(path);
    this.#changedFiles.delete(path);
    if (file !== undefined) {
      file.isRemoved = true;
      await this.#forget(file);
    }
    try {
      await rm(path);
      this.#changedFolders.add(dirname(path));
    } catch (error) {
      if (!isMissing(error)) throw diskError(error, `removing ${path}`);
    }
  }

  /** Up to `bytes` bytes of the segment from `offset`: fewer where the file ends or the device cannot read. */
  async read(name: SegmentName, offset: number, bytes: number): Promise<Uint8Array> {
    return this.readRaw(name, SEGMENT_HEADER_BYTES + offset, bytes);
  }

  /** As {@link read}, from a position of the file. */
  async readRaw(name: SegmentName, position: number, bytes: number): Promise<Uint8Array> {
    const into = new Uint8Array(bytes);
    try {
      const got = await this.#use(name, false, (handle) => readUpTo(handle, into, position));
      return into.subarray(0, got);
    } catch (error) {
      if (isMissing(error) || isUnreadable(error)) return new Uint8Array(0);
      throw diskError(error, `reading ${this.pathOf(name)}`);
    }
  }

  /** Length of the file, or null where there is none. */
  async fileBytes(name: SegmentName): Promise<number | null> {
    try {
      return await this.#use(name, false, async (handle) => (await handle.stat()).size);
    } catch (error) {
      if (isMissing(error)) return null;
      throw diskError(error, `opening ${this.pathOf(name)}`);
    }
  }

  /** Makes everything last that was changed before the call. */
  async sync(): Promise<void> {
    await atATime([...this.#changedFiles], FILES_AT_A_TIME, (path) => this.#syncFile(path));
    await atATime([...this.#changedFolders], FILES_AT_A_TIME, (folder) => this.#syncFolder(folder));
  }

  async #syncFile(path: string): Promise<void> {
    const file = this.#open.get(path);
    if (file !== undefined) return this.#syncOpen(file);
    const handle = await open(path, 'r+').catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw diskError(error, `opening ${path}`);
    });
    if (handle === null) return;
    try {
      await this.#syncHandle(path, handle);
    } finally {
      await handle.close();
    }
  }

  async #syncOpen(file: OpenFile): Promise<void> {
    file.users += 1;
    try {
      await this.#syncHandle(file.path, await file.handle);
    } finally {
      await this.#leave(file);
    }
  }

  /** What is written from now on has to be synced again. */
  async #syncHandle(path: string, handle: FileHandle): Promise<void> {
    if (!this.#changedFiles.delete(path)) return;
    await syncData(handle, path).catch((error: unknown) => this.#failSync(error));
  }

  async #syncFolder(folder: string): Promise<void> {
    this.#changedFolders.delete(folder);
    await syncFolder(folder).catch((error: unknown) => this.#failSync(error));
  }

  #failSync(error: unknown): never {
    this.#options.onSyncFailure(error);
    throw error;
  }

  /** Closes all files. What was not synced may be lost. */
  async close(): Promise<void> {
    const files = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(files.map(async ({ handle }) => (await handle).close()));
  }

  async #use<T>(name: SegmentName, creates: boolean, work: (handle: FileHandle) => Promise<T>): Promise<T> {
    const file = await this.#enter(name, creates);
    try {
      return await work(await file.handle);
    } finally {
      await this.#leave(file);
    }
  }

  async #enter(name: SegmentName, creates: boolean): Promise<OpenFile> {
    const path = this.pathOf(name);
    const file = this.#open.get(path) ?? this.#begin(name, path, creates);
    this.#open.delete(path);
    this.#open.set(path, file);
    file.users += 1;
    try {
      await file.handle;
    } catch (error) {
      if (this.#open.get(path) === file) this.#open.delete(path);
      if (creates && !file.creates && isMissing(error)) return this.#enter(name, creates);
      throw error;
    }
    await this.#closeOldest();
    return file;
  }

  #begin(name: SegmentName, path: string, creates: boolean): OpenFile {
    const handle = creates ? this.#openOrCreate(name, path) : open(path, 'r+');
    return { path, handle, creates, users: 0, isForgotten: false, isRemoved: false };
  }

  async #openOrCreate(name: SegmentName, path: string): Promise<FileHandle> {
    let handle: FileHandle | null = null;
    try {
      handle = await open(path, 'r+').catch((error: unknown) => {
        if (isMissing(error)) return this.#create(path);
        throw error;
      });
      const { size } = await handle.stat();
      if (size < SEGMENT_HEADER_BYTES) await writeWhole(handle, segmentHeader(name), 0);
      return handle;
    } catch (error) {
      await handle?.close();
      throw diskError(error, `opening ${path}`);
    }
  }

  async #create(path: string): Promise<FileHandle> {
    await makeFolder(dirname(path));
    const handle = await open(path, 'w+');
    this.#changedFolders.add(dirname(path));
    return handle;
  }

  async #closeOldest(): Promise<void> {
    if (this.#open.size <= this.#options.openFilesMax) return;
    for (const file of this.#open.values())
      if (file.users === 0) {
        await this.#forget(file);
        return;
      }
  }

  /** Takes a file out of the open ones; it is closed by its last user. */
  async #forget(file: OpenFile): Promise<void> {
    if (this.#open.get(file.path) === file) this.#open.delete(file.path);
    file.isForgotten = true;
    file.users += 1;
    await this.#leave(file);
  }

  /** A changed file is synced before it is closed, while its handle would still be told of a failed write. */
  async #leave(file: OpenFile): Promise<void> {
    file.users -= 1;
    if (file.users > 0 || !file.isForgotten) return;
    const handle = await file.handle;
    try {
      if (!file.isRemoved) await this.#syncHandle(file.path, handle);
    } finally {
      await handle.close();
    }
  }
}

/** One call, unless the system takes less. */
async function writePieces(handle: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  const wanted = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const { bytesWritten } = await handle.writev(pieces, position);
  if (bytesWritten === wanted) return;
  for (let at = position, i = 0; i < pieces.length; at += pieces[i]!.length, i++)
    await writeWhole(handle, pieces[i]!, at);
}
