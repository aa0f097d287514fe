import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FIRST_TIME_MS, LAST_TIME_MS, parseTime } from './event-time.ts';

describe('parseTime', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2024-02-29T12:34:56.789Z', Date.UTC(2024, 1, 29, 12, 34, 56, 789)],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['2024-05-31t12:00:00z', Date.UTC(2024, 4, 31, 12)],
    ['2024-05-31T12:00:00.123456789Z', Date.UTC(2024, 4, 31, 12, 0, 0, 123)],
    ['2024-05-31T00:30:00+01:00', Date.UTC(2024, 4, 30, 23, 30)],
    ['2024-05-31T00:30:00.5-23:59', Date.UTC(2024, 5, 1, 0, 29, 0, 500)],
    ['0000-01-01T00:00:00Z', FIRST_TIME_MS],
  ])('reads %s', (text, timeMs) => {
    expect(parseTime(text)).toBe(timeMs);
  });

  it.each([
    '',
    '2024-05-31',
    '2024-05-31T12:00:00',
    '2024-05-31 12:00:00Z',
    '2024-02-30T12:00:00Z',
    '2023-02-29T12:00:00Z',
    '2200-02-29T12:00:00Z',
    '2024-13-01T12:00:00Z',
    '2024-05-31T24:00:00Z',
    '2024-05-31T12:00:60Z',
    '2024-05-31T12:00:00.Z',
    '2024-05-31T12:00:00+0100',
    '2024-05-31T12:00:00+24:00',
    '2024-05-31T12:00:00Zz',
    '+02024-05-31T12:00:00Z',
    '２024-05-31T12:00:00Z',
  ])('refuses "%s"', (text) => {
    expect(parseTime(text)).toBeNaN();
  });

  it('reads what Date writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: FIRST_TIME_MS, max: LAST_TIME_MS }), (timeMs) => {
        expect(parseTime(new Date(timeMs).toISOString())).toBe(timeMs);
      }),
    );
  });

  it('agrees with Date.parse wherever the text has the form of RFC 3339', () => {
    const two = fc.integer({ min: 0, max: 65 }).map((n) => String(n).padStart(2, '0'));
    const year = fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, '0'));
    fc.assert(
      fc.property(year, two, two, two, two, two, (y, month, day, hour, minute, second) => {
        const text = `${y}-${month}-${day}T${hour}:${minute}:${second}Z`;
        const oracle = new Date(text);
        // Date takes 24:00:00 and, in V8, days that a month does not have; both move the parts that were given.
        const isSame = !Number.isNaN(oracle.getTime()) && oracle.toISOString().startsWith(text.slice(0, 19));
        expect(parseTime(text)).toBe(isSame ? oracle.getTime() : NaN);
      }),
      { numRuns: 2000 },
    );
  });
});
