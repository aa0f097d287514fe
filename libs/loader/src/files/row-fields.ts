/** How the line of a file is cut into fields: ranges of the line, without an object for each. */

/** Fields of one line that can be used. */
export const FIELDS_MAX = 64;

/** Where the fields of the present line lie. */
export class RowFields {
  readonly starts: Int32Array = new Int32Array(FIELDS_MAX);
  readonly ends: Int32Array = new Int32Array(FIELDS_MAX);
  count = 0;

  add(start: number, end: number): void {
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.count += 1;
  }
}

/** Cuts `bytes[start, end)` into at most {@link FIELDS_MAX} fields, further ones are passed over. False where that is not possible. */
export type CutRow = (bytes: Uint8Array, start: number, end: number, fields: RowFields) => boolean;

const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;

/** Fields between tabs and spaces, any number of them. */
export function cutAtBlanks(bytes: Uint8Array, start: number, end: number, fields: RowFields): boolean {
  fields.count = 0;
  for (let at = start; at < end && fields.count < FIELDS_MAX;) {
    while (at < end && isBlank(bytes[at]!)) at += 1;
    const fieldAt = at;
    while (at < end && !isBlank(bytes[at]!)) at += 1;
    if (at > fieldAt) fields.add(fieldAt, at);
  }
  return true;
}

/**
 * Fields between commas, each perhaps in double quotes, blanks around it left out. Quotes within quotes and line ends are not possible.
 */
export function cutAtCommas(bytes: Uint8Array, start: number, end: number, fields: RowFields): boolean {
  fields.count = 0;
  for (let at = start; at <= end && fields.count < FIELDS_MAX; at += 1) {
    while (at < end && isBlank(bytes[at]!)) at += 1;
    const isQuoted = bytes[at] === QUOTE && at < end;
    if (isQuoted) at += 1;
    const fieldAt = at;
    const mark = isQuoted ? QUOTE : COMMA;
    while (at < end && bytes[at] !== mark) at += 1;
    if (isQuoted && at === end) return false;
    fields.add(fieldAt, isQuoted ? at : withoutBlanks(bytes, fieldAt, at));
    if (!isQuoted) continue;
    at += 1;
    while (at < end && isBlank(bytes[at]!)) at += 1;
    if (at < end && bytes[at] !== COMMA) return false;
  }
  return true;
}

function withoutBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1]!)) at -= 1;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === TAB || byte === SPACE;
}
