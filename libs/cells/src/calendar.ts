/** Dates of the proleptic Gregorian calendar as days since 1970-01-01. */

const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d\d-\d\d$/;

/** 0000-01-01. */
export const FIRST_DAY = -719_528;
/** 9999-12-31. */
export const LAST_DAY = 2_932_896;

/** Days of a text `YYYY-MM-DD`; NaN where it is no date. */
export function daysOf(text: string): number {
  if (!DATE.test(text)) return NaN;
  const days = Date.parse(`${text}T00:00:00.000Z`) / DAY_MS;
  return dateText(days) === text ? days : NaN;
}

/** True for the days that have a text. */
export function isDay(days: number): boolean {
  return days >= FIRST_DAY && days <= LAST_DAY;
}

/** `YYYY-MM-DD` of a day from {@link FIRST_DAY} to {@link LAST_DAY}; else empty. */
export function dateText(days: number): string {
  return isDay(days) ? new Date(days * DAY_MS).toISOString().slice(0, 10) : '';
}
