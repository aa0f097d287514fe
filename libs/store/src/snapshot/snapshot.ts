import { assert, NiobeError } from '@niobe/kernel';
import type { Parts } from '../parts.ts';
import type { Pin } from './pins.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { directoryBytes, directoryViews, STATE, type SharedSchema, type SharedSnapshot } from './shared-snapshot.ts';

/**
 * The cells of a partition as they were at one commit.
 *
 * 1. Taking one copies the directory of the slot table. Pages and segments stay where they are: whoever would write a page copies it
 *    first, and what nobody else needs any more waits in {@link Pins}.
 * 2. So everything a snapshot leads to is immutable while it is open, and is read without locks, by any thread that was sent
 *    {@link Snapshot.share}.
 * 3. A snapshot ends by `close`, or is ended by the policy of the arena, or for the memory it holds. Its directory says so before anything
 *    is freed, and readers look there before they give out what they read.
 */
export class Snapshot {
  readonly #parts: Parts;
  readonly #pin: Pin;
  readonly #state: Int32Array;
  readonly #shared: SharedSnapshot;
  #reader: SnapshotReader | null = null;

  constructor(parts: Parts) {
    const { arena, clock, log, pins, slots } = parts;
    const directory = new SharedArrayBuffer(directoryBytes(slots.pages));
    const { state, bases, schemaIds } = directoryViews(directory, slots.pages);
    bases.set(slots.bases.subarray(0, slots.pages));
    schemaIds.set(slots.schemaIds.subarray(0, slots.pages));
    state[0] = STATE.open;
    this.#parts = parts;
    this.#state = state;
    this.#shared = {
      partition: log.partition,
      epoch: log.lastCommitEpoch,
      seq: log.lastCommitSeq,
      timeMs: clock.nowMs(),
      memory: arena.words.buffer as SharedArrayBuffer,
      bases: arena.bases.buffer as SharedArrayBuffer,
      slotPages: arena.slotPool.memory,
      directory,
      pages: slots.pages,
      schemas: sharedSchemas(parts),
    };
    this.#pin = pins.add(clock.monotonicMs(), () => this.#end());
  }

  get isOpen(): boolean {
    return this.#state[0] === STATE.open;
  }

  /** When it was taken, Unix milliseconds. */
  get timeMs(): number {
    return this.#shared.timeMs;
  }

  /** Version of the last commit it shows. */
  get version(): { readonly epoch: number; readonly seq: number } {
    return { epoch: this.#shared.epoch, seq: this.#shared.seq };
  }

  /** What another thread opens with `SnapshotReader.open`. Throws `SNAPSHOT_EXPIRED`. */
  share(): SharedSnapshot {
    if (!this.isOpen) throw new NiobeError('SNAPSHOT_EXPIRED', 'a snapshot that has ended is not shared; take another');
    return this.#shared;
  }

  /** Reads it in this thread. Throws `SNAPSHOT_EXPIRED`. */
  reader(): SnapshotReader {
    return (this.#reader ??= SnapshotReader.open(this.share(), this.#parts.schemas));
  }

  /** Lets its memory go. A snapshot that was ended already stays so. O(what was dropped under it). */
  close(): void {
    if (this.isOpen) this.#end();
  }

  #end(): void {
    // An exchange is a full barrier: what is written to the freed memory later is not seen before this.
    Atomics.exchange(this.#state, 0, STATE.ended);
    this.#parts.pins.remove(this.#pin);
  }
}

function sharedSchemas(parts: Parts): SharedSchema[] {
  const { definitions, schemas } = parts;
  return schemas
    .list()
    .filter(({ id }) => definitions.get(id) !== undefined)
    .map(({ id, revision, declaration }) => ({ id, revision, declaration }));
}

/**
 * Takes a snapshot, or refuses it by the policy of the arena: `TOO_MANY_SNAPSHOTS`. O(pages of slots): some 50 us for 10^7 cells. Not
 * while a batch is open.
 */
export function takeSnapshot(parts: Parts): Snapshot {
  const { arena, batch, clock, log, pins } = parts;
  assert(!batch.isOpen, 'a snapshot shows whole batches');
  const { policy } = arena.snapshots;
  arena.snapshots.expire(clock.monotonicMs());
  if (pins.open.length >= policy.maxSnapshots) {
    if (policy.whenMany === 'refuse') {
      const message = `partition ${log.partition} has ${pins.open.length} open snapshots; close one or try again later`;
      throw new NiobeError('TOO_MANY_SNAPSHOTS', message, { retryAfterMs: SNAPSHOT_RETRY_MS });
    }
    arena.snapshots.evict(pins.open[0]!);
  }
  return new Snapshot(parts);
}

/** How long one who was refused a snapshot waits before asking again. */
const SNAPSHOT_RETRY_MS = 250;
