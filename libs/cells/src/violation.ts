import { NiobeError } from '@niobe/kernel';

/** A `SCHEMA_VIOLATION` at `path`. */
export function violation(path: string, message: string): NiobeError {
  return new NiobeError('SCHEMA_VIOLATION', `${path}: ${message}`, { path });
}

/** A `MALFORMED` body or key. */
export function malformed(message: string): NiobeError {
  return new NiobeError('MALFORMED', message);
}
