import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CsvParser, ROW_CHARS_MAX } from './csv-parser.ts';

function parse(pieces: readonly string[], separator = ','): string[][] {
  const parser = new CsvParser(separator);
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
}

const awkward = fc.string({
  unit: fc.constantFrom('a', ',', ';', '"', '\r', '\n', ' ', 'ß', '\u{1F6D2}'),
  maxLength: 6,
});
const table = fc.array(fc.array(awkward, { minLength: 2, maxLength: 4 }), { maxLength: 8 });

/** Quotes what must be quoted, and more where `always` says so. */
function write(rows: readonly string[][], separator: string, lineEnd: string, always: boolean): string {
  const cell = (text: string): string =>
    always || /["\r\n]/.test(text) || text.includes(separator) ? `"${text.replaceAll('"', '""')}"` : text;
  return rows.map((row) => row.map(cell).join(separator)).join(lineEnd);
}

function cut(text: string, at: readonly number[]): string[] {
  const places = [0, ...at.map((part) => Math.floor(part * text.length)).sort((a, b) => a - b), text.length];
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}

describe('CsvParser', () => {
  it('reads back any table, however it is quoted, ended and cut into pieces', () => {
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 });
    fc.assert(
      fc.property(
        table,
        fc.constantFrom(',', ';', '\t'),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        cuts,
        (rows, separator, lineEnd, always, ended, at) => {
          const text = write(rows, separator, lineEnd, always) + (ended && rows.length > 0 ? lineEnd : '');
          expect(parse(cut(text, at), separator)).toEqual(rows);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes fields as written, without trimming', () => {
    expect(parse([' a ,\t"b" \n'.replace('\t"b" ', "'b'")])).toEqual([[' a ', "'b'"]]);
    expect(parse(['a,,\n,\n'])).toEqual([
      ['a', '', ''],
      ['', ''],
    ]);
  });

  it.each([
    ['a,b"c\n', 'row 1 of the CSV (the header is row 1) has a quote inside an unquoted field'],
    ['a\n"b"c\n', 'row 2 of the CSV (the header is row 1) has text behind a closing quote'],
    ['a\nb\n"c\n', 'row 3 of the CSV (the header is row 1) has a quote that never closes'],
  ])('refuses %j', (text, message) => {
    expect(() => parse([text])).toThrow(message);
    expect(() => parse(text.split(''))).toThrow(message);
  });

  it('refuses a row longer than its bound instead of growing', () => {
    const parser = new CsvParser();
    const piece = 'x'.repeat(ROW_CHARS_MAX / 2);
    parser.push(`"${piece}`);
    expect(() => parser.push(piece)).toThrow(`row 1 of the CSV (the header is row 1) is longer than ${ROW_CHARS_MAX}`);
  });
});
