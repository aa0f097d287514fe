import type { Clock, Random } from '@niobe/kernel';

/**
 * Ids for events that came without one: UUID version 7 (RFC 9562), Unix milliseconds and 74 random bits. The time keeps two
 * processes apart whose random sources began alike.
 */
export function newEventId(clock: Clock, random: Random): string {
  const time = hex(clock.nowMs(), 12);
  const versioned = hex(0x7000 | (random.u32() & 0xfff), 4);
  const variant = hex(0x8000 | (random.u32() & 0x3fff), 4);
  const rest = hex(random.u32(), 8) + hex(random.u32() & 0xffff, 4);
  return `${time.slice(0, 8)}-${time.slice(8)}-${versioned}-${variant}-${rest}`;
}

function hex(value: number, length: number): string {
  return value.toString(16).padStart(length, '0');
}
