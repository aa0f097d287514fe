import { compileSchema, SchemaTable, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, isNiobeError, sameRange, type Clock, type Random } from '@niobe/kernel';
import { PartitionStore, SCAN_END, type Arena } from '@niobe/store';

const BLOB_BYTES_MAX = 1_000_000;

const BLOB: CompiledSchema = compileSchema(16, 1, {
  name: 'blobs',
  key: 'integer',
  fields: { seal: { type: 'u32' }, blob: { type: 'bytes', maxBytes: BLOB_BYTES_MAX } },
});

/** What a cell holds: a number, and so many bytes that begin with it. */
export interface Blob {
  readonly seal: number;
  readonly bytes: number;
}

/** A partition of blobs with integer keys, and the plain `Map` that says what is in it. Retired segments are released at once. */
export class BlobPartition {
  readonly store: PartitionStore;
  /** What the store must hold: by key, in the order in which keys were first written. */
  readonly blobs: Map<number, Blob> = new Map<number, Blob>();
  /** The keys of {@link blobs}, and some that were deleted. */
  readonly #keys: number[] = [];
  readonly #retired: number[] = [];
  readonly #out = new ByteWriter(2 * BLOB_BYTES_MAX, 64 * 1024);
  readonly #filler = new Uint8Array(BLOB_BYTES_MAX);

  constructor(arena: Arena, partition: number, clock: Clock) {
    const schemas = new SchemaTable();
    schemas.add(BLOB);
    this.store = new PartitionStore({
      partition,
      epoch: 1,
      arena,
      schemas,
      clock,
      firstSegment: 1,
      events: {
        appended: () => undefined,
        opened: () => undefined,
        sealed: () => undefined,
        retired: (segment) => this.#retired.push(segment),
      },
    });
  }

  /** Frees what the cleaner has emptied. */
  release(): void {
    for (const segment of this.#retired.splice(0)) this.store.release(segment);
  }

  /** Puts cells as a batch; false where the store is full. */
  put(cells: ReadonlyMap<number, Blob>): boolean {
    const isDone = this.#batch(() => {
      for (const [key, blob] of cells) {
        const keyBytes = this.#encode(key, blob);
        const { buffer, length } = this.#out;
        this.store.put(BLOB.id, buffer, 0, keyBytes, keyBytes, length - keyBytes, 0);
      }
    });
    if (!isDone) return false;
    for (const [key, blob] of cells) {
      if (!this.blobs.has(key)) this.#keys.push(key);
      this.blobs.set(key, blob);
    }
    return true;
  }

  /** Deletes cells as a batch; false where the store is full. */
  delete(keys: readonly number[]): boolean {
    const isDone = this.#batch(() => {
      for (const key of keys) this.store.delete(BLOB.id, this.#out.buffer, 0, this.#encode(key, null), 0, 0);
    });
    if (isDone) for (const key of keys) this.blobs.delete(key);
    return isDone;
  }

  #batch(work: () => void): boolean {
    this.store.begin();
    try {
      work();
      this.store.commit();
      return true;
    } catch (error) {
      this.store.rollback();
      if (isNiobeError(error, 'STORE_FULL')) return false;
      throw error;
    }
  }

  /** Throws unless the key's cell is what the map says. */
  compare(key: number): void {
    const { store } = this;
    const keyBytes = this.#encode(key, this.blobs.get(key)!);
    const { buffer, length } = this.#out;
    const slot = store.find(BLOB.id, buffer, 0, keyBytes);
    const isSame =
      slot >= 0 &&
      store.bodyBytes(slot) === length - keyBytes &&
      sameRange(store.bytes, store.bodyStart(slot), buffer, keyBytes, length - keyBytes);
    if (!isSame) throw new Error(`the cell of ${key} in slot ${slot} is not what was written last`);
  }

  /** Compares all cells, both ways. Returns how many there are. */
  compareAll(): number {
    for (const key of this.blobs.keys()) this.compare(key);
    let scanned = 0;
    for (let cursor = 0; cursor !== SCAN_END;)
      cursor = this.store.scan(BLOB.id, null, cursor, Infinity, Infinity, () => (scanned += 1));
    if (scanned !== this.blobs.size) throw new Error(`a scan met ${scanned} cells, not ${this.blobs.size}`);
    return scanned;
  }

  /** A key that has a cell; there must be one. */
  anyKey(random: Random): number {
    for (;;) {
      const at = random.below(this.#keys.length);
      const key = this.#keys[at]!;
      if (this.blobs.has(key)) return key;
      // It was deleted since; the last one takes its place.
      this.#keys[at] = this.#keys.pop()!;
    }
  }

  /** Writes key and body and returns the bytes of the key. */
  #encode(key: number, blob: Blob | null): number {
    this.#out.reset();
    BLOB.encodeKey(key, this.#out);
    const keyBytes = this.#out.length;
    if (blob === null) return keyBytes;
    const bytes = this.#filler.subarray(0, blob.bytes);
    bytes.fill(blob.seal & 0xff, 0, Math.min(blob.bytes, 16));
    BLOB.encode({ seal: blob.seal, blob: bytes }, this.#out);
    return keyBytes;
  }
}
