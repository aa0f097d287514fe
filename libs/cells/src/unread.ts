/** Looks at values that were parsed from JSON and may be anything; what is wrong is added to a list of problems, each with its path. */

/** An object of which nothing is known yet. */
export type Unread = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Unread {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isInteger(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

/** Refuses keys that are not `known`. `path` ends in a point, or is empty. */
export function unknownKeys(object: Unread, known: readonly string[], path: string, problems: string[]): void {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) problems.push(`${path}${key.slice(0, 64)}: not known; possible are ${known.join(', ')}`);
  }
}

/** Whether `value` is one of `possible`; refuses it if not. */
export function oneOf<T extends string>(
  value: unknown,
  possible: readonly T[],
  path: string,
  problems: string[],
): value is T {
  if (possible.includes(value as T)) return true;
  problems.push(`${path}: one of ${possible.join(', ')}`);
  return false;
}

/** Refuses a flag that is anything but `true` or left out. */
export function readFlag(object: Unread, key: string, path: string, problems: string[]): void {
  if (object[key] !== undefined && object[key] !== true) problems.push(`${path}.${key}: true, or left out`);
}
