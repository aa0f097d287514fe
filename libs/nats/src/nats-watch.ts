import type { ParseRow, Watch, WatchListener } from '@niobe/grid';
import { deferred, delay, messageOf, type Deferred, type Timer } from '@niobe/kernel';
import type { Bucket } from './bucket.ts';
import { fromBucketKey } from './bucket-key.ts';
import { decodeRow, type BucketRow } from './bucket-row.ts';
import { WatchSession, type Change } from './watch-session.ts';

/**
 * A watch that outlives connections, servers and the bucket itself: session after session, each from the start.
 *
 * The maps are small, so nothing depends on what a server still knows of a reader; a server that lost its store or went back in time
 * is just another state to tell. `#told` holds what the listener knows: only what differs is told, and what a new session no longer
 * has is told as gone.
 */

const RETRY_MS = 250;
const DELETED = 'deleted';

export class NatsWatch<T> implements Watch {
  readonly #bucket: Bucket;
  readonly #parse: ParseRow<T>;
  readonly #listener: WatchListener<T>;
  /** By key, a stamp of the state that was told. */
  readonly #told = new Map<string, string>();
  readonly #statusTimer: Timer;
  /** Keys of the present session until it is caught up. */
  #seen: Set<string> | null = null;
  #session: WatchSession | null = null;
  #connected: Deferred<void> = deferred<void>();
  #caughtUp = false;
  #closed = false;

  constructor(bucket: Bucket, parse: ParseRow<T>, listener: WatchListener<T>) {
    this.#bucket = bucket;
    this.#parse = parse;
    this.#listener = listener;
    this.#statusTimer = bucket.link.onStatus((status) => this.#turned(status === 'connected'));
    void this.#run();
  }

  close(): void {
    this.#closed = true;
    this.#statusTimer.cancel();
    this.#session?.end('the watch was closed');
    this.#connected.resolve();
  }

  #turned(connected: boolean): void {
    this.#session?.end('the connection changed');
    if (connected) this.#connected.resolve();
  }

  async #run(): Promise<void> {
    const { link } = this.#bucket;
    while (!this.#closed) {
      this.#connected = deferred<void>();
      if (link.status() === 'disconnected') await this.#connected.promise;
      if (this.#closed) return;
      const reason = await this.#readOnce();
      if (this.#closed) return;
      link.logger.info({ bucket: this.#bucket.name, reason }, 'a watch begins anew');
      await delay(link.clock, RETRY_MS);
    }
  }

  /** One session; returns why it ended. */
  async #readOnce(): Promise<string> {
    this.#seen = new Set();
    try {
      const listener = { change: (change: Change) => this.#take(change), caughtUp: () => this.#reachEnd() };
      const { link, name } = this.#bucket;
      const session = await this.#bucket.settle('watching', () => WatchSession.start(link, name, listener));
      this.#session = session;
      if (this.#closed) session.end('the watch was closed');
      return await session.ended;
    } catch (error) {
      return messageOf(error);
    }
  }

  #take(change: Change): void {
    if (this.#closed) return;
    const key = fromBucketKey(change.bucketKey);
    this.#seen?.add(key);
    const row = readRow(change.value);
    const stamp = change.value === null ? DELETED : `${change.revision} ${row?.mark ?? ''}`;
    const known = this.#told.get(key);
    if (known === stamp || (known === undefined && stamp === DELETED)) return;
    this.#told.set(key, stamp);
    this.#tell(key, change, row);
  }

  #tell(key: string, change: Change, row: BucketRow | null): void {
    if (change.value === null) {
      this.#listener.onEntry({ key, value: null, revision: change.revision });
      return;
    }
    let value: T;
    try {
      value = this.#parse((row ?? decodeRow(change.value)).value);
    } catch (error) {
      this.#listener.onBadRow?.(key, error);
      return;
    }
    this.#listener.onEntry({ key, value, revision: change.revision });
  }

  #reachEnd(): void {
    if (this.#closed) return;
    for (const key of this.#told.keys()) if (this.#seen?.has(key) === false) this.#tellGone(key);
    this.#seen = null;
    if (this.#caughtUp) return;
    this.#caughtUp = true;
    this.#listener.onCaughtUp?.();
  }

  /** The bucket has no trace of a key that was told: it was lost with its store. */
  #tellGone(key: string): void {
    const stamp = this.#told.get(key);
    this.#told.delete(key);
    if (stamp !== DELETED) this.#listener.onEntry({ key, value: null, revision: 0 });
  }
}

function readRow(value: Uint8Array | null): BucketRow | null {
  if (value === null) return null;
  try {
    return decodeRow(value);
  } catch {
    return null;
  }
}
