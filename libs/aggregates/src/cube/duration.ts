/** Lengths of time as declarations write them: `30m`, `2h`, `7d`. */

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^([1-9]\d{0,5})([mhd])$/;

/** The longest length a declaration may state. */
const LONGEST_DURATION_MS: number = 36_500 * 86_400_000;

/** Milliseconds of a text such as `7d`, or null where it is none or longer than {@link LONGEST_DURATION_MS}. */
export function parseDurationMs(text: string): number | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const ms = Number(match[1]) * UNIT_MS[match[2]!]!;
  return ms <= LONGEST_DURATION_MS ? ms : null;
}
