import { ByteWriter, murmur128 } from '@niobe/kernel';

/**
 * The 128-bit hash of an event's identity, `source` and `id`. The length of the source stands between them, so that no two identities
 * are the same bytes.
 */
export class EventIdentity {
  /** Four u32: the hash of the last {@link read}. */
  readonly hash: Uint32Array = new Uint32Array(4);
  readonly #bytes = new ByteWriter(IDENTITY_BYTES_MAX, 512);

  /** Works out {@link hash}. O(bytes), allocates nothing for ASCII. */
  read(source: string, id: string): void {
    const out = this.#bytes;
    out.reset();
    out.u16(source.length);
    out.utf8(source);
    out.utf8(id);
    murmur128(out.buffer, 0, out.length, SEED, this.hash);
  }
}

/** Part of what is stored: another seed would forget every id. */
const SEED = 0x6e696f62;
/** Both are bounded to 256 bytes where events are read. */
const IDENTITY_BYTES_MAX = 64 * 1024;
