/** Colours of a terminal, or none where it has none or the reader wants none. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  accent(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

const SGR = /\u001B\[[\d;]*m/g; // oxlint-disable-line no-control-regex -- escape sequences are what it finds

/** @param isColoured whether the terminal has colours. */
export function paintFor(isColoured: boolean): Paint {
  const painted =
    (code: number) =>
    (text: string): string =>
      isColoured && text !== '' ? `\u001B[${code}m${text}\u001B[0m` : text;
  return { bold: painted(1), dim: painted(2), accent: painted(36), good: painted(32), bad: painted(31) };
}

/** Cells of the terminal that a painted text takes; every sign that is used here takes one. */
export function cellsOf(text: string): number {
  return text.replaceAll(SGR, '').length;
}

/** The text, filled up with blanks to so many cells. */
export function padCells(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - cellsOf(text)));
}
