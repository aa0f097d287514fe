import { assert, ByteReader, ByteWriter, ERROR_CODES, NiobeError, type ErrorCode } from '@niobe/kernel';
import { REFUSAL_CHARS_MAX } from '../limits.ts';
import { writeFailureHeader } from './header.ts';

/**
 * Errors on the wire: `u8` status (0 = fine, else the code's index in the catalogue + 1), then `text` message and `u32`
 * retryAfterMs. Messages name what and where, never user data beyond names and positions.
 */

const FAILURE_BYTES_MAX = 8192;

/** A refusal as it travels: the error of a section or of a whole request. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** Pause before a retry that makes sense; 0 = none stated. */
  readonly retryAfterMs: number;
}

/** The refusal that tells `error` to a peer. */
export function refusalOf(error: NiobeError): Refusal {
  return { code: error.code, message: error.message, retryAfterMs: error.details.retryAfterMs ?? 0 };
}

/** The error that a peer's refusal is for the caller. */
export function errorOf(refusal: Refusal): NiobeError {
  const details = refusal.retryAfterMs > 0 ? { retryAfterMs: refusal.retryAfterMs } : {};
  return new NiobeError(refusal.code, refusal.message, details);
}

/** Writes status, message and pause. */
export function writeRefusal(out: ByteWriter, refusal: Refusal): void {
  const index = ERROR_CODES.indexOf(refusal.code);
  assert(index >= 0, 'a refusal has a code of the catalogue');
  out.u8(index + 1);
  out.text(refusal.message.slice(0, REFUSAL_CHARS_MAX));
  out.u32(Math.min(0xffff_ffff, Math.max(0, Math.floor(refusal.retryAfterMs))));
}

/** Reads what follows a status that is not 0. */
export function readRefusal(reader: ByteReader, status: number): Refusal {
  const code = ERROR_CODES[status - 1];
  if (code === undefined) throw new NiobeError('MALFORMED', `an error of unknown number ${status}`);
  return { code, message: reader.text(), retryAfterMs: reader.u32() };
}

/** A reply frame that refuses the whole request. */
export function failureFrame(client: number, serial: number, refusal: Refusal): Uint8Array {
  const out = new ByteWriter(FAILURE_BYTES_MAX, 256);
  writeFailureHeader(out, client, serial);
  writeRefusal(out, refusal);
  return out.finish();
}

/**
 * The failure frame for a request that could not be read: answers its id where the bytes have one.
 */
export function malformedFrame(request: Uint8Array, error: NiobeError): Uint8Array {
  const reader = new ByteReader(request);
  const readable = request.length >= 10;
  if (readable) reader.take(2);
  return failureFrame(readable ? reader.u32() : 0, readable ? reader.u32() : 0, refusalOf(error));
}
