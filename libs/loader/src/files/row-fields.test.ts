import { describe, expect, it } from '@jest/globals';
import { cutAtBlanks, cutAtCommas, FIELDS_MAX, RowFields, type CutRow } from './row-fields.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The fields of a line that stands among other bytes; null where it cannot be cut. */
function fieldsOf(cut: CutRow, line: string): string[] | null {
  const bytes = encoder.encode(`"${line}"`);
  const fields = new RowFields();
  if (!cut(bytes, 1, bytes.length - 1, fields)) return null;
  return Array.from({ length: fields.count }, (_, i) =>
    decoder.decode(bytes.subarray(fields.starts[i], fields.ends[i])),
  );
}

describe('cutting rows', () => {
  it('takes what stands between blanks', () => {
    expect(fieldsOf(cutAtBlanks, '12\t7')).toEqual(['12', '7']);
    expect(fieldsOf(cutAtBlanks, '  12 \t 7 x ')).toEqual(['12', '7', 'x']);
    expect(fieldsOf(cutAtBlanks, ' \t')).toEqual([]);
  });

  it('takes what stands between commas, with quotes or without', () => {
    expect(fieldsOf(cutAtCommas, '12,7')).toEqual(['12', '7']);
    expect(fieldsOf(cutAtCommas, ' a b , "x, y" ,,')).toEqual(['a b', 'x, y', '', '']);
    expect(fieldsOf(cutAtCommas, '')).toEqual(['']);
    expect(fieldsOf(cutAtCommas, '""')).toEqual(['']);
  });

  it('refuses quotes that do not enclose a field', () => {
    expect(fieldsOf(cutAtCommas, '"a""b",c')).toBeNull();
    expect(fieldsOf(cutAtCommas, '"a')).toBeNull();
  });

  it('passes over fields beyond its bound', () => {
    expect(fieldsOf(cutAtCommas, ','.repeat(1_000))).toHaveLength(FIELDS_MAX);
    expect(fieldsOf(cutAtBlanks, 'a '.repeat(1_000))).toHaveLength(FIELDS_MAX);
  });
});
