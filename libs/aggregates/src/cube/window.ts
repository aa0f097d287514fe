/**
 * Tumbling windows: half-open panes [start, end) of UTC time, aligned to the Unix epoch. `all` is one pane without end.
 * A pane is known by its number, `floor(time / windowMs)`, which may be negative (before 1970).
 */

/** Windows a cube may declare. */
export const WINDOWS = ['1m', '1h', '1d', 'all'] as const;

/** Name of a window. */
export type WindowName = (typeof WINDOWS)[number];

/** Length of a window in milliseconds; 0 for `all`. */
export const WINDOW_MS: Readonly<Record<WindowName, number>> = {
  '1m': 60_000,
  '1h': 3_600_000,
  '1d': 86_400_000,
  all: 0,
};

/** Number of the pane that holds `timeMs`. */
export function paneOf(timeMs: number, windowMs: number): number {
  return windowMs === 0 ? 0 : Math.floor(timeMs / windowMs);
}

/** First millisecond after a pane; infinite for `all`. */
export function paneEndMs(pane: number, windowMs: number): number {
  return windowMs === 0 ? Number.POSITIVE_INFINITY : (pane + 1) * windowMs;
}
