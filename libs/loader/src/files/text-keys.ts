import { KEY_BYTES_MAX } from '@niobe/cells';
import { isNiobeError } from '@niobe/kernel';
import type { VertexIds } from '../keys/vertex-ids.ts';
import { NO_KEY, type KeyReader } from './key-reader.ts';

/** Text keys, taken as they are written. */
export class TextKeys implements KeyReader {
  readonly #vertices: VertexIds;

  constructor(vertices: VertexIds) {
    this.#vertices = vertices;
  }

  row(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0 || length > KEY_BYTES_MAX) return NO_KEY;
    const { keys } = this.#vertices;
    const hash = keys.schema.hashKey(bytes, start, length);
    const known = keys.find(hash, bytes, start, length);
    if (known >= 0) return known;
    return this.#isKey(bytes, start, length) ? this.#vertices.add(hash, bytes, start, length) : NO_KEY;
  }

  clear(): void {
    // The keys are with the rows alone.
  }

  /** False for what is not UTF-8. */
  #isKey(bytes: Uint8Array, start: number, length: number): boolean {
    try {
      this.#vertices.keys.schema.checkKey(bytes, start, length);
      return true;
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      return false;
    }
  }
}
