import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { messageOf, NiobeError } from '@niobe/kernel';

/**
 * What an error of JetStream says about the request that got it.
 *
 * `lost`: the compare-and-set named another revision, or this very write was stored before. `no-bucket`: the stream has gone.
 * `unknown`: no answer, or an answer that a server gives while it starts or elects ("jetstream not enabled", 408, 5xx); the request may
 * still land. `closed`: we have closed the connection. `refused`: it will never work.
 */
export type Outcome = 'lost' | 'no-bucket' | 'unknown' | 'closed' | 'refused';

const LOST: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];
const REQUEST_TIMEOUT = 408;
const SERVER_ERROR = 500;

/** Errors that come with 400 or 500 although nothing better can be asked for. */
const NEVER: readonly number[] = [
  10074, // replicas > 1 not supported in non-clustered mode
  10058, // stream name already in use with a different configuration
  10054, // message size exceeds maximum allowed
];

/** Judges `error`. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError) return 'closed';
  if (!(error instanceof JetStreamApiError)) return 'unknown';
  if (LOST.includes(error.code)) return 'lost';
  if (error.code === JetStreamApiCodes.StreamNotFound) return 'no-bucket';
  if (NEVER.includes(error.code)) return 'refused';
  return error.status >= SERVER_ERROR || error.status === REQUEST_TIMEOUT ? 'unknown' : 'refused';
}

/** The error for what can not be settled: `UNKNOWN` after retries, else why not. */
export function asNiobeError(error: unknown, what: string): NiobeError {
  const outcome = outcomeOf(error);
  if (outcome === 'closed') return new NiobeError('CLOSED', `${what}: the connection to NATS is closed`, {}, error);
  if (outcome === 'refused')
    return new NiobeError(
      'BAD_CONFIG',
      `${what}: NATS refuses: ${messageOf(error)}; see its limits and the replicas option`,
      {},
      error,
    );
  return new NiobeError('UNKNOWN', `${what}: NATS did not answer for certain: ${messageOf(error)}`, {}, error);
}
