import { cellsOf, padCells, type Paint } from './paint.ts';
import type { ServiceLine, Snapshot } from './snapshot.ts';
import type { ReadyFacts } from './view.ts';
import { clockTime, count, megabytes } from './wording.ts';

/** What the live screen says, as lines; the first are the ones that matter most, because a small terminal shows no more. */

/** Everything on the screen at one moment. */
export interface ScreenContent {
  readonly facts: ReadyFacts;
  readonly snapshot: Snapshot;
  /** Events per second at the last looks, the oldest first. */
  readonly rates: readonly number[];
  readonly notices: readonly string[];
}

const NAME_CELLS = 12;
const URL_CELLS = 24;
const MEMORY_CELLS = 8;
const FIGURE_CELLS = 13;
const BAR_CELLS = 20;
const GAP = '     ';
const STEPS = '▁▂▃▄▅▆▇█';

/** The whole screen for a terminal of so many columns, before it is cut to its height. */
export function screenLines(
  { facts, snapshot, rates, notices }: ScreenContent,
  columns: number,
  paint: Paint,
): string[] {
  const services = snapshot.services.map((service) => serviceLine(service, paint));
  return [
    `${paint.bold('niobe')}  ${facts.title}`,
    paint.dim(`ready in ${facts.startSeconds.toFixed(1)} s; Ctrl-C stops everything`),
    '',
    ...flowLines(snapshot, rates, paint),
    '',
    ...beside(services, topLines(snapshot.top, paint), columns),
    '',
    ...facts.commands.flatMap(({ title, line }) => [paint.accent(title), `  ${line}`]),
    '',
    ...facts.notes.map((note) => paint.dim(note)),
    ...(notices.length === 0 ? [] : ['', ...notices]),
  ];
}

function flowLines(snapshot: Snapshot, rates: readonly number[], paint: Paint): string[] {
  const figures: readonly (readonly [string, number | null])[] = [
    ['events/s', snapshot.eventsPerSecond],
    ['lag', snapshot.consumerLag],
    ['cells', snapshot.cells],
    ['vertices', snapshot.vertices],
    ['edges', snapshot.edges],
  ];
  return [
    paint.dim(
      figures
        .map(([name]) => name.padEnd(FIGURE_CELLS))
        .join('')
        .trimEnd(),
    ),
    figures.map(([, value]) => padCells(paint.bold(count(value)), FIGURE_CELLS)).join('') + paint.accent(curve(rates)),
  ];
}

/** A curve from 0 to the largest value, one sign each. */
function curve(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values.map((value) => STEPS[Math.round((value / most) * (STEPS.length - 1))]).join('');
}

function serviceLine({ name, url, ready, reason, memoryBytes }: ServiceLine, paint: Paint): string {
  const memory = megabytes(memoryBytes).padStart(MEMORY_CELLS);
  const state = ready ? paint.good('● ready') : paint.bad(`○ not ready: ${reason}`);
  return `${name.padEnd(NAME_CELLS)}${paint.dim(url.padEnd(URL_CELLS))}${memory}  ${state}`;
}

function topLines(top: Snapshot['top'], paint: Paint): string[] {
  if (top === null) return [];
  const most = Math.max(1, ...top.groups.map((group) => group.count));
  const groups = top.groups.map(({ name, count: size }) => {
    const bar = '█'.repeat(Math.max(1, Math.round((size / most) * BAR_CELLS)));
    return `${name.padEnd(NAME_CELLS)}${count(size).padStart(MEMORY_CELLS)}  ${paint.accent(bar)}`;
  });
  return [paint.dim(`top ${top.dimension} by ${top.measure} since ${clockTime(top.sinceMs)} UTC`), ...groups];
}

/** Two blocks side by side where they fit, else one below the other. */
function beside(left: readonly string[], right: readonly string[], columns: number): string[] {
  const leftCells = Math.max(0, ...left.map(cellsOf));
  const rightCells = Math.max(0, ...right.map(cellsOf));
  if (right.length === 0) return [...left];
  if (leftCells + GAP.length + rightCells > columns) return [...left, '', ...right];
  const rows = Math.max(left.length, right.length);
  return Array.from({ length: rows }, (_, row) => {
    const other = right[row];
    return other === undefined ? (left[row] ?? '') : padCells(left[row] ?? '', leftCells) + GAP + other;
  });
}
