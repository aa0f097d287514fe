/**
 * Event times: RFC 3339 text or Unix milliseconds, always UTC milliseconds inside. Parsed by hand because it happens once per event
 * and because `Date.parse` takes much that is no RFC 3339. Fractions beyond milliseconds are cut.
 */

const ZERO = 48;
const DAY_MS = 86_400_000;
/** 0000-01-01T00:00:00Z, the first time RFC 3339 can write. */
export const FIRST_TIME_MS = -62_167_219_200_000;
/** 9999-12-31T23:59:59.999Z, the last one. */
export const LAST_TIME_MS = 253_402_300_799_999;

/** Unix milliseconds of an RFC 3339 time, or NaN if it is none. O(n). */
export function parseTime(text: string): number {
  if (text.length < 20 || text.length > 40) return NaN;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (!hasSeparators(text) || !isDate(year, month, day) || !isClock(hour, minute, second)) return NaN;
  const clockMs = ((hour * 60 + minute) * 60 + second) * 1000;
  return daysFromCivil(year, month, day) * DAY_MS + clockMs + parseRest(text);
}

/** A number of `count` digits; NaN if one is none. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

function hasSeparators(text: string): boolean {
  const between = text[10];
  return (
    text[4] === '-' && text[7] === '-' && (between === 'T' || between === 't') && text[13] === ':' && text[16] === ':'
  );
}

function isDate(year: number, month: number, day: number): boolean {
  return year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

/** Leap seconds have no place in Unix time; a second of 60 is refused. */
function isClock(hour: number, minute: number, second: number): boolean {
  return hour <= 23 && minute <= 59 && second <= 59;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Days since 1970-01-01 in the Gregorian calendar; Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Milliseconds of what follows the seconds: a fraction, then `Z` or an offset. */
function parseRest(text: string): number {
  let at = 19;
  let fractionMs = 0;
  if (text[at] === '.') {
    const start = ++at;
    for (let weight = 100; digits(text, at, 1) >= 0; at++, weight = Math.floor(weight / 10))
      fractionMs += weight * digits(text, at, 1);
    if (at === start) return NaN;
  }
  return fractionMs - parseOffset(text, at);
}

/** Milliseconds east of UTC. */
function parseOffset(text: string, at: number): number {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : NaN;
  if ((sign !== '+' && sign !== '-') || text.length !== at + 6 || text[at + 3] !== ':') return NaN;
  const hour = digits(text, at + 1, 2);
  const minute = digits(text, at + 4, 2);
  if (!isClock(hour, minute, 0)) return NaN;
  return (sign === '-' ? -1 : 1) * (hour * 60 + minute) * 60_000;
}
