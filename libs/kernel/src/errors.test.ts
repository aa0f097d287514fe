import { describe, expect, it } from '@jest/globals';
import { assert, AssertionError } from './assert.ts';
import { ERROR_CODES, isNiobeError, messageOf, NiobeError } from './errors.ts';

describe('NiobeError', () => {
  it('carries code, retry hint, status and cause', () => {
    const cause = new Error('socket closed');
    const error = new NiobeError('BUSY', 'shard-0 has 64 MiB waiting; retry in 50 ms', { retryAfterMs: 50 }, cause);
    expect(error).toMatchObject({ code: 'BUSY', retry: 'later', status: 503, details: { retryAfterMs: 50 }, cause });
    expect(isNiobeError(error)).toBe(true);
    expect(isNiobeError(error, 'UNKNOWN')).toBe(false);
    expect(isNiobeError(cause)).toBe(false);
  });

  it('every code has a title and an HTTP error status', () => {
    for (const code of ERROR_CODES) {
      const error = new NiobeError(code, 'x');
      expect(error.status).toBeGreaterThanOrEqual(400);
      expect(error.title.length).toBeGreaterThan(10);
    }
  });
});

describe('assert', () => {
  it('throws only when the condition does not hold', () => {
    expect(() => assert(true, 'fine')).not.toThrow();
    expect(() => assert(0, 'zero segments')).toThrow(AssertionError);
    expect(messageOf(new AssertionError('zero segments'))).toBe('zero segments');
  });
});
