import { isNiobeError, NiobeError } from '@niobe/kernel';

/**
 * Refusals that name the place in the record: `price`, `lines[3].price`. Each level says its own part, and the level around it puts its
 * part before that. The message begins with the path.
 */

/** A `SCHEMA_VIOLATION` at `path`. */
export function violation(path: string, message: string): NiobeError {
  return new NiobeError('SCHEMA_VIOLATION', `${path}: ${message}`, { path });
}

/** A `MALFORMED` body or key. */
export function malformed(message: string): NiobeError {
  return new NiobeError('MALFORMED', message);
}

/** A `MALFORMED` value at `path`. */
export function malformedAt(path: string, message: string): NiobeError {
  return new NiobeError('MALFORMED', `${path}: ${message}`, { path });
}

/** What an item of a list threw under the name of its field, now with the place of the item. */
export function atItem(error: unknown, name: string, index: number): unknown {
  if (!isNiobeError(error)) return error;
  return withPath(error, `${name}[${index}]${(error.details.path ?? name).slice(name.length)}`);
}

/** What a record threw, now as below the field or item at `path`. */
export function within(error: unknown, path: string): unknown {
  if (!isNiobeError(error)) return error;
  const inner = error.details.path;
  return withPath(error, inner === undefined ? path : `${path}.${inner}`);
}

function withPath(error: NiobeError, path: string): NiobeError {
  const inner = error.details.path;
  const why = inner === undefined ? `: ${error.message}` : error.message.slice(inner.length);
  return new NiobeError(error.code, path + why, { ...error.details, path });
}
