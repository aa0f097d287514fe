import type { KvEntry } from '@nats-io/kv';
import { checkKey, type MapValue, type ParseRow, type SharedMap, type Watch, type WatchListener } from '@niobe/grid';
import { NiobeError } from '@niobe/kernel';
import type { Bucket } from './bucket.ts';
import { fromBucketKey, toBucketKey } from './bucket-key.ts';
import { decodeRow, encodeRow } from './bucket-row.ts';
import { outcomeOf } from './jetstream-outcome.ts';
import { NatsWatch } from './nats-watch.ts';

/**
 * A shared map over a NATS bucket.
 *
 * A write is a compare-and-set that carries a mark of its own. If its answer is lost, or says "lost" (which a write also hears about
 * itself when it was stored before), the key is read from the leader: our mark there means done; a revision past the expected one means
 * another was faster; the expected revision still there means that the write may still land, so it is sent again. That is harmless:
 * of several writes that expect one revision at most one is stored.
 */

const ANSWER_TIMEOUT_MS = 2_000;
/** Revision that a compare-and-set expects of a key that never was. */
const NEVER_WRITTEN = 0;

export class NatsSharedMap<T> implements SharedMap<T> {
  readonly name: string;
  readonly #bucket: Bucket;
  readonly #parse: ParseRow<T>;
  /** Begins the marks of this map; no other map anywhere has the same. */
  readonly #writer: string;
  readonly #watches = new Set<Watch>();
  #writes = 0;

  constructor(name: string, bucket: Bucket, parse: ParseRow<T>, writer: string) {
    this.name = name;
    this.#bucket = bucket;
    this.#parse = parse;
    this.#writer = writer;
  }

  async get(key: string): Promise<MapValue<T> | null> {
    checkKey(key);
    const entry = present(await this.#read(key));
    if (entry === null) return null;
    return { value: this.#parse(decodeRow(entry.value).value), revision: entry.revision };
  }

  async create(key: string, value: T): Promise<number> {
    checkKey(key);
    const mark = this.#nextMark();
    const endMs = this.#bucket.deadline();
    let expected = NEVER_WRITTEN;
    for (;;) {
      const done = await this.#put(key, value, mark, expected, endMs);
      if (done.stored) return done.revision;
      if (present(done.found) !== null) throw new NiobeError('EXISTS', `${this.name}: ${key} exists`);
      expected = done.found?.revision ?? NEVER_WRITTEN;
    }
  }

  async update(key: string, value: T, revision: number): Promise<number> {
    checkKey(key);
    const done = await this.#put(key, value, this.#nextMark(), revision, this.#bucket.deadline());
    if (done.stored) return done.revision;
    throw this.#mismatch(key, revision);
  }

  async delete(key: string, revision?: number): Promise<void> {
    checkKey(key);
    const endMs = this.#bucket.deadline();
    for (;;) {
      const entry = present(await this.#read(key, endMs));
      if (entry === null) return;
      if (revision !== undefined && entry.revision !== revision) throw this.#mismatch(key, revision);
      if (await this.#deleteAt(key, entry.revision, endMs)) return;
    }
  }

  async keys(): Promise<string[]> {
    return this.#bucket.settle('listing keys', async (kv) => {
      const keys: string[] = [];
      for await (const key of await kv.keys()) keys.push(fromBucketKey(key));
      return keys;
    });
  }

  watch(listener: WatchListener<T>): Watch {
    const watch = new NatsWatch(this.#bucket, this.#parse, listener);
    this.#watches.add(watch);
    return watch;
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches.clear();
  }

  /** The newest entry of the key as the leader has it, a delete marker included. */
  #read(key: string, endMs?: number): Promise<KvEntry | null> {
    return this.#bucket.settle(`reading ${key}`, (kv) => kv.get(toBucketKey(key)), endMs);
  }

  /** One compare-and-set, repeated until it is certain what became of it. */
  async #put(key: string, value: T, mark: string, expected: number, endMs: number): Promise<Put> {
    const bytes = encodeRow(this.name, key, { mark, value });
    for (;;) {
      const failure = await this.#tryPut(key, bytes, expected, endMs);
      if (typeof failure === 'number') return { stored: true, revision: failure };
      const found = await this.#read(key, endMs);
      if (found !== null && markOf(found) === mark) return { stored: true, revision: found.revision };
      if ((found?.revision ?? NEVER_WRITTEN) !== expected) return { stored: false, found };
      await this.#bucket.pause(failure, `writing ${key}`, endMs);
    }
  }

  /** The new revision, or the error after which the key must be read. */
  async #tryPut(key: string, bytes: Uint8Array, expected: number, endMs: number): Promise<number | Error> {
    const kv = await this.#bucket.settle('opening', (ready) => Promise.resolve(ready), endMs);
    try {
      return await kv.put(toBucketKey(key), bytes, { previousSeq: expected, timeout: ANSWER_TIMEOUT_MS });
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome === 'closed' || outcome === 'refused')
        return this.#bucket.settle(`writing ${key}`, () => Promise.reject(error), endMs);
      return error as Error;
    }
  }

  /** True when the marker is certainly there; false when the key must be read again. */
  async #deleteAt(key: string, revision: number, endMs: number): Promise<boolean> {
    const kv = await this.#bucket.settle('opening', (ready) => Promise.resolve(ready), endMs);
    try {
      await kv.delete(toBucketKey(key), { previousSeq: revision });
      return true;
    } catch (error) {
      if (outcomeOf(error) === 'lost') return false;
      await this.#bucket.pause(error, `deleting ${key}`, endMs);
      return false;
    }
  }

  #nextMark(): string {
    return `${this.#writer}-${(this.#writes++).toString(36)}`;
  }

  #mismatch(key: string, revision: number): NiobeError {
    return new NiobeError('REVISION_MISMATCH', `${this.name}: ${key} is not at revision ${revision}`);
  }
}

type Put =
  { readonly stored: true; readonly revision: number } | { readonly stored: false; readonly found: KvEntry | null };

/** The entry unless it is a delete marker. */
function present(entry: KvEntry | null): KvEntry | null {
  return entry?.operation === 'PUT' ? entry : null;
}

/** The mark of an entry; empty for a delete marker or a row that no service wrote. */
function markOf(entry: KvEntry): string {
  try {
    return decodeRow(entry.value).mark;
  } catch {
    return '';
  }
}
