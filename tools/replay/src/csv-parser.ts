import { NiobeError } from '@niobe/kernel';

/**
 * CSV by RFC 4180, fed in pieces of any size. Lines end in LF or CRLF, the last one may lack it. A quoted field may hold separators,
 * line ends and doubled quotes. A quote inside an unquoted field, text after a closing quote, and a quote that never closes are
 * `MALFORMED`, naming the row: guessing would shift columns silently. Everything else is taken as written; nothing is trimmed.
 */

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** A row with its line ends; more is taken for a quote that never closes. */
export const ROW_CHARS_MAX = 1_048_576;

const INCOMPLETE = -1;

export class CsvParser {
  readonly #separator: number;
  #text = '';
  #row = 0;
  /** Set when no more text comes: the end of the text then ends the last row. */
  #last = false;
  /** End of the field that was read last, behind its closing quote. */
  #fieldEnd = 0;

  /** @param separator one character other than a quote or a line end. */
  constructor(separator = ',') {
    this.#separator = separator.charCodeAt(0);
  }

  /** The rows that `text` completes. O(n) for rows shorter than the pieces. */
  push(text: string): string[][] {
    this.#text += text;
    return this.#takeRows();
  }

  /** The last row, where the text did not end in a line end. */
  end(): string[][] {
    this.#last = true;
    return this.#takeRows();
  }

  #takeRows(): string[][] {
    const rows: string[][] = [];
    let at = 0;
    while (at < this.#text.length) {
      const row: string[] = [];
      const next = this.#readRow(at, row);
      if (next === INCOMPLETE) break;
      rows.push(row);
      this.#row += 1;
      at = next;
    }
    this.#text = this.#text.slice(at);
    if (this.#text.length > ROW_CHARS_MAX) throw this.#malformed(`is longer than ${ROW_CHARS_MAX} characters`);
    return rows;
  }

  /** Reads the row at `at` into `row`; where the next one begins, or {@link INCOMPLETE}. */
  #readRow(at: number, row: string[]): number {
    const text = this.#text;
    for (let start = at; ;) {
      const field = text.charCodeAt(start) === QUOTE ? this.#readQuoted(start) : this.#readPlain(start);
      if (field === null) return INCOMPLETE;
      row.push(field);
      const end = this.#fieldEnd;
      if (end === text.length) return end;
      const code = text.charCodeAt(end);
      if (code !== this.#separator) return end + (code === CR ? 2 : 1);
      start = end + 1;
    }
  }

  #readPlain(start: number): string | null {
    const text = this.#text;
    let end = start;
    let code = text.charCodeAt(end);
    while (code !== this.#separator && code !== LF && end < text.length) {
      if (code === QUOTE) throw this.#malformed('has a quote inside an unquoted field');
      code = text.charCodeAt(++end);
    }
    if (end === text.length && !this.#last) return null;
    if (code === LF && end > start && text.charCodeAt(end - 1) === CR) end -= 1;
    this.#fieldEnd = end;
    return text.slice(start, end);
  }

  #readQuoted(start: number): string | null {
    const text = this.#text;
    let doubled = false;
    let end = text.indexOf('"', start + 1);
    while (end !== -1 && text.charCodeAt(end + 1) === QUOTE) {
      doubled = true;
      end = text.indexOf('"', end + 2);
    }
    if (end === -1 || !this.#endsField(end + 1)) {
      if (!this.#last) return null;
      throw this.#malformed('has a quote that never closes');
    }
    this.#fieldEnd = end + 1;
    const field = text.slice(start + 1, end);
    return doubled ? field.replaceAll('""', '"') : field;
  }

  /** Whether a quoted field may end before `at`; false where only more text can tell. */
  #endsField(at: number): boolean {
    const text = this.#text;
    if (at >= text.length) return this.#last;
    const code = text.charCodeAt(at);
    if (code === this.#separator || code === LF) return true;
    if (code === CR) {
      if (at + 1 === text.length && !this.#last) return false;
      if (text.charCodeAt(at + 1) === LF) return true;
    }
    throw this.#malformed('has text behind a closing quote');
  }

  #malformed(what: string): NiobeError {
    const row = this.#row + 1;
    return new NiobeError('MALFORMED', `row ${row} of the CSV (the header is row 1) ${what}`, { row });
  }
}
