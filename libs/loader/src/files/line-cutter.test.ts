import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LINE_BYTES_MAX, LineCutter } from './line-cutter.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The lines of a text that comes in pieces which end at `cuts`. */
function linesOf(text: string, cuts: readonly number[]): string[] {
  const bytes = encoder.encode(text);
  const cutter = new LineCutter();
  const lines: string[] = [];
  const take = (): void => {
    while (cutter.next()) lines.push(decoder.decode(cutter.bytes.subarray(cutter.start, cutter.end)));
  };
  let at = 0;
  for (const cut of [...cuts.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)) {
    cutter.push(bytes.subarray(at, cut));
    at = cut;
    take();
  }
  cutter.finish();
  take();
  expect(cutter.lines).toBe(lines.length);
  return lines;
}

describe('cutting lines', () => {
  it('gives the lines of a text, whatever they end with and wherever the pieces end', () => {
    const line = fc.string({ unit: fc.constantFrom('a', ' ', '1', 'ü'), maxLength: 5 });
    const end = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(fc.array(fc.tuple(line, end)), line, fc.array(fc.nat(60)), (ended, last, cuts) => {
        const text = ended.map(([content, mark]) => content + mark).join('') + last;
        // A CR line end and an empty line that ends with LF are one CR LF.
        const expected = text.split(/\r\n|\n|\r/);
        if (expected.at(-1) === '') expected.pop();
        expect(linesOf(text, cuts)).toEqual(expected);
      }),
    );
  });

  it('refuses a line without an end', () => {
    const cutter = new LineCutter();
    cutter.push(new Uint8Array(LINE_BYTES_MAX + 1));
    expect(cutter.next()).toBe(false);
    expect(() => cutter.push(new Uint8Array(1))).toThrow(/line 1 has more than 1048576 bytes/);
  });
});
