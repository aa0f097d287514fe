import { atATime } from './at-a-time.ts';
import { FILES_AT_A_TIME, PIECES_PER_WRITE_MAX } from './limits.ts';
import type { RoundBuffer } from './round-buffer.ts';
import type { SegmentFiles } from './segment-files.ts';
import { segmentFile, type SegmentName } from './segment-name.ts';

/**
 * Changes of segment files that are in the journal and not yet in the files.
 *
 * 1. Only what is synced in the journal is queued, so a file never holds what a crash could take back.
 * 2. Changes of a segment are made in their order; segments go by themselves. Pieces that follow each other, of whatever round,
 *    become one write.
 * 3. A segment that is removed takes its queued writes with it: what is freed soon never reaches its file.
 * 4. A change that fails stays queued, and is tried again by the next drain.
 */

/** A change of a segment file. */
export type FileChange =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array; readonly buffer: RoundBuffer }
  | { readonly kind: 'truncate'; readonly length: number }
  | { readonly kind: 'remove' };

type FileWrite = Extract<FileChange, { kind: 'write' }>;

interface Backlog {
  readonly name: SegmentName;
  changes: FileChange[];
  running: Promise<void> | null;
}

export class WriteBehind {
  readonly #files: SegmentFiles;
  readonly #backlogs = new Map<string, Backlog>();
  #waitingBytes = 0;

  constructor(files: SegmentFiles) {
    this.#files = files;
  }

  /** Bytes that wait to be written. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Adds a change of a segment behind those before. Bytes stay in their buffer until they are written. */
  queue(name: SegmentName, change: FileChange): void {
    const backlog = this.#backlogOf(name);
    if (change.kind === 'remove') this.#release(backlog.changes.splice(0));
    backlog.changes.push(change);
    if (change.kind !== 'write') return;
    change.buffer.unwritten += 1;
    this.#waitingBytes += change.bytes.length;
  }

  #backlogOf(name: SegmentName): Backlog {
    const key = segmentFile(name);
    let backlog = this.#backlogs.get(key);
    if (backlog === undefined) {
      backlog = { name, changes: [], running: null };
      this.#backlogs.set(key, backlog);
    }
    return backlog;
  }

  /** Makes all changes that are queued. Throws `DISK_FULL` or `UNAVAILABLE`. */
  async drain(): Promise<void> {
    await atATime([...this.#backlogs.keys()], FILES_AT_A_TIME, (key) => this.#drainKey(key));
  }

  /** Makes the queued changes of one segment. */
  async drainSegment(name: SegmentName): Promise<void> {
    await this.#drainKey(segmentFile(name));
  }

  async #drainKey(key: string): Promise<void> {
    const backlog = this.#backlogs.get(key);
    if (backlog === undefined) return;
    backlog.running ??= this.#run(key, backlog);
    await backlog.running;
  }

  async #run(key: string, backlog: Backlog): Promise<void> {
    try {
      while (backlog.changes.length > 0) await this.#runNext(backlog);
      this.#backlogs.delete(key);
    } finally {
      backlog.running = null;
    }
  }

  async #runNext(backlog: Backlog): Promise<void> {
    const taken = takeRun(backlog.changes);
    try {
      await this.#make(backlog.name, taken);
    } catch (error) {
      backlog.changes.unshift(...taken);
      throw error;
    }
    this.#release(taken);
  }

  async #make(name: SegmentName, taken: readonly FileChange[]): Promise<void> {
    const first = taken[0]!;
    if (first.kind === 'remove') await this.#files.remove(name);
    else if (first.kind === 'truncate') await this.#files.truncate(name, first.length);
    else {
      const pieces = (taken as readonly FileWrite[]).map(({ bytes }) => bytes);
      await this.#files.write(name, first.offset, pieces);
    }
  }

  #release(changes: readonly FileChange[]): void {
    for (const change of changes) {
      if (change.kind !== 'write') continue;
      change.buffer.unwritten -= 1;
      this.#waitingBytes -= change.bytes.length;
    }
  }
}

/** Takes out the first change, and with a write those that go on where it ends. */
function takeRun(changes: FileChange[]): FileChange[] {
  let count = 1;
  for (let last = changes[0]!; count < Math.min(changes.length, PIECES_PER_WRITE_MAX); count++) {
    const next = changes[count]!;
    if (last.kind !== 'write' || next.kind !== 'write' || last.offset + last.bytes.length !== next.offset) break;
    last = next;
  }
  return changes.splice(0, count);
}
