import { describe, expect, it } from '@jest/globals';
import { isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { firstJsonError, parseJson, parseJsonText } from './json.ts';

const positionOf = (text: string): unknown => {
  try {
    parseJsonText(text);
  } catch (error) {
    if (isNiobeError(error, 'MALFORMED')) return error.details['position'];
    throw error;
  }
  return 'accepted';
};

describe('parseJson', () => {
  it.each([
    ['', 0],
    ['  ', 2],
    ['abc', 0],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['{"a":tru}', 5],
    ['[1,2', 4],
    ['[1 2]', 3],
    ['[,1]', 1],
    ['{"a":"x\ny"}', 7],
    ['{"a":"\\x"}', 6],
    ['"open', 5],
    ['1 2', 2],
    ['01', 1],
    ['[1}', 2],
    ['{1:2}', 1],
    [']', 0],
  ])('says where %j goes wrong', (text, position) => {
    expect(positionOf(text)).toBe(position);
  });

  it('accepts what JSON.parse accepts and places every error inside the text', () => {
    const mutated = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', '{', '0', '\\', '\u0001', 'é'), fc.boolean())
      .map(([text, at, sign, drop]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + sign + text.slice(place + (drop ? 1 : 0));
      });
    fc.assert(
      fc.property(mutated, (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const position = positionOf(text);
        if (valid) expect(position).toBe('accepted');
        else expect(position).toBe(firstJsonError(text));
        // What comes before the first error can be continued: it is no error by itself before that place.
        if (!valid) expect(firstJsonError(text.slice(0, position as number))).toBe(position);
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not quote the text and survives deep nesting', () => {
    expect(() => parseJsonText('{"card": 4111-1111}')).toThrow(
      /^the JSON has an unexpected character at position \d+$/,
    );
    expect(positionOf('['.repeat(1 << 20))).toBe(1 << 20);
    expect(positionOf(`"${'x'.repeat(1 << 20)}`)).toBe((1 << 20) + 1);
  });

  it('finds the first byte that is not UTF-8', () => {
    const bytes = Uint8Array.from([...new TextEncoder().encode('{"é":"'), 0xff, 0x22, 0x7d]);
    expect(() => parseJson(bytes)).toThrow(expect.objectContaining({ code: 'MALFORMED', details: { position: 7 } }));
    expect(parseJson(new TextEncoder().encode('{"a":[1,null]}'))).toEqual({ a: [1, null] });
  });
});
