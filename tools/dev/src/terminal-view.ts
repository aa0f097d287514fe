import type { Clock } from '@niobe/kernel';
import { commandLines } from './plain-view.ts';
import type { ServiceLine, Snapshot } from './snapshot.ts';
import { deathLines, type ReadyFacts, type View } from './view.ts';
import type { Death } from './supervised-unit.ts';
import { clockTime, count, megabytes } from './wording.ts';

/**
 * The live screen. Start and stop are plain lines; in between the terminal's second screen shows the system. Only lines that changed
 * are written, so that commands can be selected and copied while numbers move.
 */

const ESC = '\u001B[';
const ENTER_SECOND_SCREEN = `${ESC}?1049h${ESC}?25l`;
const LEAVE_SECOND_SCREEN = `${ESC}?25h${ESC}?1049l`;
const CLEAR_LINE = `${ESC}2K`;
const CLEAR_SCREEN = `${ESC}2J`;
/** Lines about deaths that stay on the screen. */
const NOTICE_LINES_MAX = 8;
const NAME_CELLS = 12;
const URL_CELLS = 24;

/** The part of a terminal that is used. */
export interface Terminal {
  readonly rows: number;
  readonly columns: number;
  write(text: string): void;
}

export class TerminalView implements View {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  #facts: ReadyFacts | null = null;
  #notices: string[] = [];
  #shown = new Map<number, string>();
  /** Size of the terminal and rows of the lines; where it changes, everything is drawn again. */
  #layout = '';

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  step(text: string): void {
    if (this.#facts === null) this.#terminal.write(`${text}\n`);
    else this.#notice([text]);
  }

  death(name: string, death: Death): void {
    const lines = deathLines(name, death);
    if (this.#facts === null) this.#terminal.write(`${lines.join('\n')}\n`);
    else this.#notice(lines);
  }

  ready(facts: ReadyFacts): void {
    this.#facts = facts;
    this.#layout = '';
    this.#terminal.write(ENTER_SECOND_SCREEN);
  }

  show(snapshot: Snapshot): void {
    if (this.#facts !== null) this.#draw(screenLines(this.#facts, snapshot, this.#notices));
  }

  endLive(): void {
    if (this.#facts === null) return;
    this.#facts = null;
    this.#terminal.write(LEAVE_SECOND_SCREEN);
  }

  #notice(lines: readonly string[]): void {
    const stamped = lines.map((line, index) => (index === 0 ? `${clockTime(this.#clock.nowMs())} ${line}` : line));
    this.#notices = [...this.#notices, ...stamped].slice(-NOTICE_LINES_MAX);
  }

  /**
   * Writes what differs from the screen before. A line wider than the terminal is written whole and wrapped by the terminal itself:
   * so it is copied as one line.
   */
  #draw(lines: readonly string[]): void {
    const { rows, columns } = this.#terminal;
    const placed = place(lines, rows, columns);
    const layout = `${rows} ${columns} ${[...placed.keys()].join(' ')}`;
    if (layout !== this.#layout) this.#shown = new Map();
    let output = layout === this.#layout ? '' : CLEAR_SCREEN;
    for (const [row, line] of placed) {
      if (this.#shown.get(row) !== line) output += `${ESC}${row};1H${CLEAR_LINE}${line}`;
    }
    this.#layout = layout;
    this.#shown = placed;
    if (output !== '') this.#terminal.write(output);
  }
}

/** The row each line begins in, from 1; what does not fit is left out. */
function place(lines: readonly string[], rows: number, columns: number): Map<number, string> {
  const placed = new Map<number, string>();
  let row = 1;
  for (const line of lines) {
    const height = Math.max(1, Math.ceil(line.length / columns));
    if (row + height > rows) break;
    placed.set(row, line);
    row += height;
  }
  return placed;
}

/** The whole screen, before it is fitted to the terminal. */
function screenLines(facts: ReadyFacts, snapshot: Snapshot, notices: readonly string[]): string[] {
  return [
    `niobe: ${facts.title}; ready in ${facts.startSeconds.toFixed(1)} s; Ctrl-C stops everything`,
    '',
    ...snapshot.services.map(serviceLine),
    '',
    `events/s ${count(snapshot.eventsPerSecond)}   consumer lag ${count(snapshot.consumerLag)}   cells ${count(snapshot.cells)}`,
    '',
    ...topLines(snapshot.top),
    ...(facts.commands === null ? [] : [...commandLines(facts.commands), '']),
    ...facts.notes,
    ...(notices.length === 0 ? [] : ['', ...notices]),
  ];
}

function serviceLine({ name, url, ready, reason, memoryBytes }: ServiceLine): string {
  const memory = megabytes(memoryBytes).padStart(8);
  return `${name.padEnd(NAME_CELLS)}${url.padEnd(URL_CELLS)}${memory}  ${ready ? 'ready' : `not ready: ${reason}`}`;
}

function topLines(top: Snapshot['top']): string[] {
  if (top === null) return [];
  const groups = top.groups.map(({ name, count: size }) => `  ${name.padEnd(NAME_CELLS)}${count(size).padStart(8)}`);
  return [`top ${top.dimension} by ${top.measure} since ${clockTime(top.sinceMs)} UTC`, ...groups, ''];
}
