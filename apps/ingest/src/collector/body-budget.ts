import { NiobeError } from '@niobe/kernel';
import { BODIES_BYTES_LIMIT, RETRY_AFTER_MS } from './limits.ts';

/** The bound of all request bodies together: each reserves what it says it will send, or what it may send, before it is read. */
export class BodyBudget {
  #bytes = 0;

  /** Bytes that are reserved. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes `bytes` until {@link release}. Throws `BUSY`. */
  reserve(bytes: number): void {
    if (this.#bytes + bytes > BODIES_BYTES_LIMIT) {
      throw new NiobeError(
        'BUSY',
        `requests of ${BODIES_BYTES_LIMIT} bytes are being answered already; send again later`,
        {
          retryAfterMs: RETRY_AFTER_MS,
        },
      );
    }
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** What a body of at most `limitBytes` may take: its stated length, else all it may have. */
export function bodyBytes(contentLength: string | undefined, limitBytes: number): number {
  const stated = contentLength === undefined ? limitBytes : Number(contentLength);
  return stated >= 0 && stated <= limitBytes ? stated : limitBytes;
}
