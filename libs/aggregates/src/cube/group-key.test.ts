import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from '@niobe/kernel';
import fc from 'fast-check';
import { appendDimension, appendPane, groupKey, GroupKeyReader, integerAt, type DimensionValue } from './group-key.ts';

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.stringMatching(/^[-0-9:;~]{0,6}$/));
const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -12, max: 12 }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
);
const value: fc.Arbitrary<DimensionValue> = fc.oneof(fc.constant(null), text, integer, fc.boolean());
const pane = fc.integer({ min: -40_000_000, max: 40_000_000 });

describe('group keys', () => {
  it('never meet: different panes or values of the same types give different keys', () => {
    const group = fc.record({
      pane,
      values: fc.array(fc.oneof(fc.constant(null), text), { minLength: 2, maxLength: 2 }),
    });
    fc.assert(
      fc.property(group, group, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(groupKey(a.pane, a.values) === groupKey(b.pane, b.values)).toBe(same);
      }),
      { numRuns: 800 },
    );
    expect(groupKey(1, ['', null])).not.toBe(groupKey(1, [null, '']));
    expect(groupKey(1, ['a1:b'])).not.toBe(groupKey(1, ['a', 'b']));
  });

  it('give the values back', () => {
    fc.assert(
      fc.property(pane, fc.array(value, { maxLength: 5 }), (number, values) => {
        const out = new ByteWriter(1 << 16);
        out.raw(Uint8Array.of(1, 2, 3));
        appendPane(out, number);
        for (const one of values) appendDimension(out, one);
        const reader = new GroupKeyReader();
        reader.start(out.buffer, 3);
        for (const one of values) {
          reader.next();
          expect(reader.isNull).toBe(one === null);
          if (one !== null) expect(read(out.buffer, reader, one)).toEqual(plain(one));
        }
      }),
      { numRuns: 400 },
    );
  });
});

function read(bytes: Uint8Array, { textStart, textEnd }: GroupKeyReader, like: DimensionValue): unknown {
  if (typeof like === 'string')
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(textStart, textEnd));
  return integerAt(bytes, textStart, textEnd);
}

function plain(value: DimensionValue): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value);
  return value === 0 ? 0 : value;
}
