/** Lines that are kept; the rest is only counted. */
const LINES_MAX = 20;

/** What an audit found to be wrong. */
export class Problems {
  count = 0;
  readonly lines: string[] = [];

  add(line: string): void {
    this.count += 1;
    if (this.lines.length < LINES_MAX) this.lines.push(line);
  }
}
