import { isNiobeError, NiobeError, type ErrorCode } from '@niobe/kernel';

/** Problem details of RFC 9457, with the code that callers recognise. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode | 'INTERNAL';
  readonly [fact: string]: unknown;
}

/** Media type of {@link Problem}. */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** The problem an operating error is told as; its details become members. */
export function problemOf(error: NiobeError): Problem {
  return {
    ...error.details,
    type: 'about:blank',
    title: error.title,
    status: error.status,
    detail: error.message,
    code: error.code,
  };
}

/** What is told of a programmer error: nothing of its insides. */
export const INTERNAL_PROBLEM: Problem = {
  type: 'about:blank',
  title: 'The service made a mistake',
  status: 500,
  detail: 'an error inside the service; its log says more',
  code: 'INTERNAL',
};

/** Seconds of `Retry-After`, or null where a retry later is no help. */
export function retryAfterSeconds(error: NiobeError): number | null {
  if (error.details.retryAfterMs !== undefined) return Math.max(1, Math.ceil(error.details.retryAfterMs / 1000));
  return error.retry === 'later' ? 1 : null;
}

interface FrameworkError {
  readonly statusCode: number;
  readonly message: string;
  readonly code?: string;
}

function isFrameworkError(error: unknown): error is FrameworkError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'TOO_LARGE',
  414: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
};

/**
 * The operating error behind anything that a request ended with; null for a programmer error.
 * @param maxBytes bound of the body of the route that was asked.
 */
export function operatingError(error: unknown, maxBytes: number): NiobeError | null {
  if (isNiobeError(error)) return error;
  if (!isFrameworkError(error) || error.statusCode >= 500) return null;
  const code = BY_STATUS[error.statusCode] ?? 'MALFORMED';
  if (error.statusCode === 413) {
    return new NiobeError('TOO_LARGE', `the body is larger than ${maxBytes} bytes; send less at once`, { maxBytes });
  }
  if (error.statusCode === 415) {
    return new NiobeError(code, 'the content-type is not one this route takes; see its documentation');
  }
  return new NiobeError(code, error.message);
}
