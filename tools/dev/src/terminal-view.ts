import type { Clock } from '@niobe/kernel';
import { cellsOf, type Paint } from './paint.ts';
import { screenLines } from './screen.ts';
import type { Snapshot } from './snapshot.ts';
import { deathLines, type ReadyFacts, type View } from './view.ts';
import type { Death } from './supervised-unit.ts';
import { clockTime } from './wording.ts';

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
/** Looks whose rate of events is drawn. */
const RATES_MAX = 30;

/** The part of a terminal that is used. */
export interface Terminal {
  readonly rows: number;
  readonly columns: number;
  write(text: string): void;
}

export class TerminalView implements View {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #paint: Paint;
  #facts: ReadyFacts | null = null;
  #notices: string[] = [];
  #rates: number[] = [];
  #shown = new Map<number, string>();
  /** Size of the terminal and rows of the lines; where it changes, everything is drawn again. */
  #layout = '';

  constructor(terminal: Terminal, clock: Clock, paint: Paint) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#paint = paint;
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
    if (this.#facts === null) return;
    if (snapshot.eventsPerSecond !== null) this.#rates = [...this.#rates, snapshot.eventsPerSecond].slice(-RATES_MAX);
    const content = { facts: this.#facts, snapshot, rates: this.#rates, notices: this.#notices };
    this.#draw(screenLines(content, this.#terminal.columns, this.#paint));
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
    const height = Math.max(1, Math.ceil(cellsOf(line) / columns));
    if (row + height > rows) break;
    placed.set(row, line);
    row += height;
  }
  return placed;
}
