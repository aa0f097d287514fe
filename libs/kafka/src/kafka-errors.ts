import { isNiobeError, messageOf, NiobeError } from '@niobe/kernel';

/** What kafkajs throws, in the words of the catalogue. */

const RETRY_AFTER_MS = 1000;
/** Kafka's names of errors that no repetition mends. */
const TOO_LARGE_TYPES: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const UNKNOWN_TOPIC = 'UNKNOWN_TOPIC_OR_PARTITION';

/** The operating error behind `error`; `what` says what was tried. Anything not understood counts as a broker that is away. */
export function brokerError(error: unknown, what: string): NiobeError {
  if (isNiobeError(error)) return error;
  const type = typeOf(error);
  if (type !== null && TOO_LARGE_TYPES.has(type))
    return new NiobeError(
      'TOO_LARGE',
      `${what}: Kafka refuses the size; see message.max.bytes of the topic`,
      {},
      error,
    );
  if (type === UNKNOWN_TOPIC) return new NiobeError('NOT_FOUND', `${what}: Kafka has no such topic`, {}, error);
  return new NiobeError('UNAVAILABLE', `${what}: ${messageOf(error)}`, { retryAfterMs: RETRY_AFTER_MS }, error);
}

/** Kafka's name of a protocol error, also of one that kafkajs wrapped. */
function typeOf(error: unknown): string | null {
  for (let at: unknown = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    const { type, cause, originalError } = at as { type?: unknown; cause?: unknown; originalError?: unknown };
    if (typeof type === 'string') return type;
    at = cause ?? originalError;
  }
  return null;
}
