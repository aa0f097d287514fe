import { NiobeError } from '@niobe/kernel';
import { MAP_KEY_BYTES_MAX, MAP_VALUE_BYTES_MAX } from './limits.ts';

/** What every implementation of shared maps checks alike. */

const encoder = new TextEncoder();

/** Throws `BAD_REQUEST` unless `key` can name a row. */
export function checkKey(key: string): void {
  const bytes = encoder.encode(key).length;
  if (bytes === 0 || bytes > MAP_KEY_BYTES_MAX)
    throw new NiobeError('BAD_REQUEST', `a key of a shared map has 1 to ${MAP_KEY_BYTES_MAX} bytes, not ${bytes}`);
}

/** `value` as JSON; throws `TOO_LARGE` above the bound. */
export function encodeValue(map: string, key: string, value: unknown): Uint8Array {
  const bytes = encoder.encode(JSON.stringify(value));
  if (bytes.length > MAP_VALUE_BYTES_MAX)
    throw new NiobeError(
      'TOO_LARGE',
      `${map}: the row ${key} has ${bytes.length} bytes, ${MAP_VALUE_BYTES_MAX} at most`,
      {
        maxBytes: MAP_VALUE_BYTES_MAX,
      },
    );
  return bytes;
}
