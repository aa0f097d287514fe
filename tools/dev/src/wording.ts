/** Numbers as people read them. */

/** `1,234,567`; `-` where unknown. */
export function count(value: number | null): string {
  return value === null ? '-' : Math.round(value).toLocaleString('en-US');
}

/** `87 MB`; `-` where unknown. */
export function megabytes(bytes: number | null): string {
  return bytes === null ? '-' : `${Math.round(bytes / 1_000_000)} MB`;
}

/** `14:05` UTC. */
export function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}
