/**
 * Operating errors: the one catalogue of codes. A code exists only where a caller reacts to it.
 *
 * Each entry says how a retry may help (`never | same | elsewhere | later`) and which HTTP status an edge answers.
 * `same` means: at once, at the same place, with a fresh view. `later` means: with a pause.
 */

/** What a caller may do with the same request. */
export type Retry = 'never' | 'same' | 'elsewhere' | 'later';

interface CodeFacts {
  readonly retry: Retry;
  readonly status: number;
  readonly title: string;
}

const CODES = {
  // What the caller sent.
  MALFORMED: { retry: 'never', status: 400, title: 'The request could not be read' },
  BAD_REQUEST: { retry: 'never', status: 400, title: 'The request asks for something that is not possible' },
  NOT_FOUND: { retry: 'never', status: 404, title: 'There is nothing of this name' },
  METHOD_NOT_ALLOWED: { retry: 'never', status: 405, title: 'The method is not allowed here' },
  TOO_LARGE: { retry: 'never', status: 413, title: 'The request is too large' },
  UNSUPPORTED_MEDIA_TYPE: { retry: 'never', status: 415, title: 'The media type is not supported' },
  SCHEMA_VIOLATION: { retry: 'never', status: 422, title: 'The data does not match its declaration' },
  UNKNOWN_EVENT_TYPE: { retry: 'never', status: 422, title: 'No event type of this name is declared' },
  TIME_IN_FUTURE: { retry: 'never', status: 422, title: 'The event time is too far in the future' },
  RATE_LIMITED: { retry: 'later', status: 429, title: 'Too many requests' },
  // Cells.
  VERSION_MISMATCH: { retry: 'same', status: 409, title: 'The cell has another version' },
  EXISTS: { retry: 'never', status: 409, title: 'A cell with this key exists' },
  OVERFLOW: { retry: 'never', status: 422, title: 'The result does not fit its type' },
  OFFSET_MISMATCH: { retry: 'same', status: 409, title: 'The batch does not begin where the partition ended' },
  STORE_FULL: { retry: 'later', status: 503, title: 'The store has no free memory' },
  // Ownership, replication, recovery.
  NOT_PRIMARY: { retry: 'elsewhere', status: 503, title: 'The shard does not own this partition' },
  FENCED: { retry: 'never', status: 503, title: 'A newer owner has been registered' },
  NOT_READY: { retry: 'later', status: 503, title: 'The service is not ready yet' },
  BACKUP_UNAVAILABLE: { retry: 'later', status: 503, title: 'Not enough backup servers are reachable' },
  PARTITION_DAMAGED: { retry: 'never', status: 503, title: 'The partition is damaged in every copy' },
  DAMAGED: { retry: 'never', status: 500, title: 'Stored bytes do not match their checksum' },
  // Wire and brokers.
  BUSY: { retry: 'later', status: 503, title: 'The receiver has too much waiting' },
  UNKNOWN: { retry: 'same', status: 503, title: 'The outcome is not known' },
  UNAVAILABLE: { retry: 'later', status: 503, title: 'The other side cannot be reached' },
  DEADLINE: { retry: 'later', status: 503, title: 'The deadline passed' },
  REVISION_MISMATCH: { retry: 'same', status: 409, title: 'The entry has another revision' },
  // Declarations and start.
  BAD_CONFIG: { retry: 'never', status: 500, title: 'The configuration is not usable' },
  BAD_DECLARATION: { retry: 'never', status: 422, title: 'The declaration is not usable' },
  INCOMPATIBLE: { retry: 'never', status: 409, title: 'The declaration does not fit what is stored' },
  CLOSED: { retry: 'never', status: 503, title: 'The component is closed' },
  // Appended: the index of a code is its number on the wire.
  OFFSET_GONE: { retry: 'never', status: 500, title: 'The event log no longer has records that a cursor needs' },
  DISK_FULL: { retry: 'later', status: 503, title: 'The disk has no free space' },
  // Searches.
  UNKNOWN_SCHEMA: { retry: 'never', status: 422, title: 'No vertex schema of this name is declared' },
  UNKNOWN_EDGE: { retry: 'never', status: 422, title: 'No edge type of this name is declared' },
  BUDGET_EXCEEDED: { retry: 'never', status: 422, title: 'The search went over its budget' },
  TOO_MANY_SEARCHES: { retry: 'later', status: 429, title: 'Too many searches are under way' },
  SEARCH_LOST: { retry: 'later', status: 503, title: 'A shard no longer knows the search' },
  // Snapshots.
  SNAPSHOT_EXPIRED: { retry: 'same', status: 410, title: 'The snapshot has ended' },
  TOO_MANY_SNAPSHOTS: { retry: 'later', status: 429, title: 'Too many snapshots are open' },
} as const;

/** Name of an operating error. */
export type ErrorCode = keyof typeof CODES;

const FACTS: Readonly<Record<ErrorCode, CodeFacts>> = CODES;

/** Every code, for documentation and for wire numbers (its index is its number on the wire: append only). */
export const ERROR_CODES = Object.keys(FACTS) as readonly ErrorCode[];

/** Extra facts of an error; kept small and free of user data other than names and positions. */
export interface ErrorDetails {
  /** Where in the input: `data.price`, `events[3].fields.user`. */
  readonly path?: string;
  /** Pause before a retry that makes sense, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly [fact: string]: string | number | boolean | undefined | readonly string[];
}

/** An operating error: expected in a running system, recognised by its code, never by its text. */
export class NiobeError extends Error {
  override readonly name = 'NiobeError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /** @param message what was wrong, where, and what to do. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }

  /** How a retry may help. */
  get retry(): Retry {
    return FACTS[this.code].retry;
  }

  /** HTTP status of this error at an edge. */
  get status(): number {
    return FACTS[this.code].status;
  }

  /** One line in English for the code, the same for every occurrence. */
  get title(): string {
    return FACTS[this.code].title;
  }
}

/** True if `error` is a {@link NiobeError}, of `code` where given. */
export function isNiobeError(error: unknown, code?: ErrorCode): error is NiobeError {
  return error instanceof NiobeError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
