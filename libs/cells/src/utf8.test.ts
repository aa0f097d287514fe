import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isUtf8, textAt, utf8Of } from './utf8.ts';

const strict = new TextDecoder('utf-8', { fatal: true });

function decodes(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

describe('isUtf8', () => {
  it('agrees with the platform on bytes that are nearly text', () => {
    const tricky = fc.constantFrom(
      0x00,
      0x7f,
      0x80,
      0xbf,
      0xc0,
      0xc1,
      0xc2,
      0xe0,
      0xed,
      0xef,
      0xf0,
      0xf4,
      0xf5,
      0x9f,
      0xa0,
      0x90,
      0x8f,
    );
    fc.assert(
      fc.property(fc.array(tricky, { maxLength: 6 }), (values) => {
        const bytes = Uint8Array.from(values);
        expect(isUtf8(bytes, 0, bytes.length)).toBe(decodes(bytes));
      }),
      { numRuns: 20_000 },
    );
  });

  it('takes every text and looks at no byte beyond', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = utf8Of(text);
        expect(isUtf8(bytes, 0, bytes.length)).toBe(true);
        expect(textAt(bytes, 0, bytes.length)).toBe(text);
        if (bytes.length > 0 && bytes.at(-1)! >= 0x80) expect(isUtf8(bytes, 0, bytes.length - 1)).toBe(false);
      }),
    );
  });
});

describe('textAt', () => {
  it('reads ASCII of any length, at any place, and what is only ASCII at first', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme-ascii', maxLength: 70 }),
      fc
        .tuple(fc.string({ unit: 'grapheme-ascii', maxLength: 50 }), fc.constantFrom('é', '\u{1f600}'))
        .map(([a, b]) => a + b),
    );
    fc.assert(
      fc.property(text, fc.nat(9), (expected, before) => {
        const bytes = utf8Of('?'.repeat(before) + expected + '?');
        expect(textAt(bytes, before, bytes.length - 1)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});
