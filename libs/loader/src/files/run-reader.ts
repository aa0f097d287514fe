import { isNiobeError, NiobeError } from '@niobe/kernel';
import type { FileRun } from './file-run.ts';
import type { FileVertices } from './file-vertices.ts';
import type { LineRules } from './graph-format.ts';
import { readInteger } from './integer-keys.ts';
import { NO_KEY } from './key-reader.ts';
import { LineCutter } from './line-cutter.ts';
import { RowFields } from './row-fields.ts';

/** What the lines of a file are. */
export type Rows = 'edges' | 'vertices';

/** How to read a file. */
export interface RunReaderOptions {
  /** As errors name it. */
  readonly name: string;
  readonly pieces: AsyncIterable<Uint8Array>;
  readonly rules: LineRules;
  readonly rows: Rows;
  readonly from: FileVertices;
  readonly to: FileVertices;
  /** The first line names the columns, also where the keys are texts; else it does if its keys are no integers where they should be. */
  readonly hasHeader: boolean;
  /** Lines that are no edge are passed over and counted; else the first ends the reading. */
  readonly skipsBad: boolean;
}

const SHOWN_BYTES = 60;
const decoder = new TextDecoder();

/** Reads the lines of a file into runs. */
export class RunReader {
  readonly #options: RunReaderOptions;
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #lines = new LineCutter();
  readonly #fields = new RowFields();
  /** The present line was looked at, and is no header. */
  #isPending = false;
  #isRead = false;
  #bad = 0;

  constructor(options: RunReaderOptions) {
    this.#options = options;
    this.#pieces = options.pieces[Symbol.asyncIterator]();
  }

  /** Lines that were passed over because they are no edge. */
  get bad(): number {
    return this.#bad;
  }

  /** Names of the columns, none where the file does not tell them. To be asked before anything is read. */
  async header(): Promise<readonly string[]> {
    const { rules, hasHeader } = this.#options;
    if (!rules.mayHaveHeader || !(await this.#nextLine())) return [];
    const fields = this.#fields;
    const { bytes, start, end } = this.#lines;
    const isCut = rules.cut(bytes, start, end, fields);
    this.#isPending = !hasHeader && !(isCut && this.#namesColumns());
    if (this.#isPending) return [];
    return Array.from({ length: fields.count }, (_, i) => this.#text(fields.starts[i]!, fields.ends[i]!));
  }

  /** Whether integers are expected where the present line has none. */
  #namesColumns(): boolean {
    const { from, to } = this.#options;
    const isText = (vertices: FileVertices, column: number): boolean =>
      vertices.ids.keys.schema.keyType === 'integer' &&
      Number.isNaN(readInteger(this.#lines.bytes, this.#fields.starts[column]!, this.#fields.ends[column]!));
    return this.#fields.count >= 2 && isText(from, 0) && isText(to, 1);
  }

  /** Passes over lines until so many were read. */
  async skipTo(lines: number): Promise<void> {
    if (lines > 0) this.#isPending = false;
    while (this.#lines.lines < lines && (await this.#nextLine()));
  }

  /** Fills a run; false where the file has no further line. Throws `MALFORMED` naming the line that is none. */
  async read(run: FileRun): Promise<boolean> {
    const first = this.#isPending ? this.#lines.lines - 1 : this.#lines.lines;
    run.begin();
    do this.#take(run);
    while (!run.isFull && (await this.#more()));
    run.end = this.#lines.lines;
    return run.end > first;
  }

  #take(run: FileRun): void {
    const lines = this.#lines;
    while (!run.isFull && (this.#isPending || lines.next())) {
      this.#isPending = false;
      this.#takeLine(run, lines.bytes, lines.start, lines.end);
    }
  }

  #takeLine(run: FileRun, bytes: Uint8Array, start: number, end: number): void {
    const { rules, rows, from, to } = this.#options;
    if (start === end || bytes[start] === rules.comment) return;
    const fields = this.#fields;
    if (!rules.cut(bytes, start, end, fields)) return this.#refuse('it has a quote that does not end');
    if (fields.count === 0) return;
    const fromRow = from.row(bytes, fields.starts[0]!, fields.ends[0]!);
    if (fromRow === NO_KEY) return this.#refuseKey(from, 0);
    if (rows === 'vertices') return;
    if (fields.count < 2) return this.#refuse('it has one field, an edge has two ends');
    const toRow = to.row(bytes, fields.starts[1]!, fields.ends[1]!);
    if (toRow === NO_KEY) return this.#refuseKey(to, 1);
    try {
      run.add(fromRow, toRow, this.#lines.lines - 1, bytes, fields);
    } catch (error) {
      if (!isNiobeError(error, 'SCHEMA_VIOLATION')) throw error;
      this.#refuse(error.message);
    }
  }

  #refuseKey({ ids }: FileVertices, column: number): void {
    const { schema } = ids.keys;
    const shown = this.#text(this.#fields.starts[column]!, this.#fields.ends[column]!);
    this.#refuse(`"${shown}" is no key of ${schema.name}, whose keys are ${schema.keyType}`);
  }

  #refuse(reason: string): void {
    const { name, skipsBad } = this.#options;
    this.#bad += 1;
    if (skipsBad) return;
    throw new NiobeError('MALFORMED', `${name}, line ${this.#lines.lines}: ${reason}`, {
      path: String(this.#lines.lines),
    });
  }

  async #nextLine(): Promise<boolean> {
    while (!this.#lines.next()) if (!(await this.#more())) return false;
    return true;
  }

  /** Reads the next piece of the file; false at the end, once the last line was given. */
  async #more(): Promise<boolean> {
    if (this.#isRead) return false;
    const { done, value } = await this.#pieces.next();
    if (done !== true) this.#lines.push(value);
    else {
      this.#isRead = true;
      this.#lines.finish();
    }
    return true;
  }

  #text(start: number, end: number): string {
    return decoder.decode(this.#lines.bytes.subarray(start, Math.min(end, start + SHOWN_BYTES)));
  }

  /** Ends the reading early. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}
