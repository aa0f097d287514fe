import { encodeValue } from '@niobe/grid';
import { NiobeError } from '@niobe/kernel';

/**
 * A row as it lies in a bucket: the value with the mark of the write that put it there, by which a writer whose answer got lost
 * recognises its own work.
 *
 *     {"mark": "<writer>-<count>", "value": ...}
 */
export interface BucketRow {
  readonly mark: string;
  readonly value: unknown;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The bytes of a row; `TOO_LARGE` above the bound of shared maps. */
export function encodeRow(map: string, key: string, row: BucketRow): Uint8Array {
  return encodeValue(map, key, row);
}

/** Reads a row that somebody wrote; throws `MALFORMED` for anything else. */
export function decodeRow(bytes: Uint8Array): BucketRow {
  try {
    const row: unknown = JSON.parse(decoder.decode(bytes));
    if (typeof row === 'object' && row !== null && 'mark' in row && 'value' in row && typeof row.mark === 'string')
      return { mark: row.mark, value: row.value };
  } catch {
    // Not UTF-8 or not JSON: refused below like any other.
  }
  throw new NiobeError('MALFORMED', 'a row of a shared map that no service wrote');
}
