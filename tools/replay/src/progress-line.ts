/** Where a replay stands, as one line: rows, rate and the time that is left. */

export interface ProgressFacts {
  readonly rowsDone: number;
  /** Rows done by this run; the rate is theirs. */
  readonly rowsDoneNow: number;
  readonly elapsedMs: number;
  /** Part of the file that is done, and that was done before this run, 0 to 1. */
  readonly fraction: number;
  readonly fractionBefore: number;
  readonly trouble: string;
}

const BAR_CELLS = 24;

/** For a terminal. */
export function progressBar(facts: ProgressFacts): string {
  const full = Math.round(facts.fraction * BAR_CELLS);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_CELLS - full)}] ${progressText(facts)}`;
}

/** For a pipe. */
export function progressText(facts: ProgressFacts): string {
  const percent = Math.floor(facts.fraction * 100);
  const rate = facts.elapsedMs === 0 ? 0 : (facts.rowsDoneNow * 1000) / facts.elapsedMs;
  const trouble = facts.trouble === '' ? '' : `  waiting: ${facts.trouble}`;
  return `${percent} %  ${grouped(facts.rowsDone)} rows  ${grouped(Math.round(rate))}/s  ${timeLeft(facts)}${trouble}`;
}

function timeLeft({ elapsedMs, fraction, fractionBefore }: ProgressFacts): string {
  const gained = fraction - fractionBefore;
  return gained <= 0 ? 'ETA unknown' : `ETA ${duration((elapsedMs * (1 - fraction)) / gained)}`;
}

/** `1,234,567` */
export function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `m:ss`, or `h:mm:ss` from an hour on. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
