/** Reads one column as the value of an event field in JSON. Null: the text is no value of this type. */
export type FieldReader = (text: string) => FieldValue | null;

export type FieldValue = string | number | boolean;

const INTEGER = /^-?\d+$/;
const DECIMAL = /^-?\d+(\.\d+)?$/;

/**
 * The reader for a declared type. Integers become numbers, those beyond 2^53 stay text with every digit; decimals stay text, so that no digit
 * is rounded on the way; the rest is taken as written. The collector checks ranges and scales.
 */
export function fieldReader(type: string): FieldReader {
  switch (type) {
    case 'bool':
      return readBool;
    case 'i32':
    case 'u32':
    case 'i64':
    case 'u64':
      return readInteger;
    case 'f64':
      return readFloat;
    case 'decimal':
      return (text) => (DECIMAL.test(text) ? text : null);
    default:
      return (text) => text;
  }
}

function readBool(text: string): boolean | null {
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : null;
}

function readInteger(text: string): number | string | null {
  if (!INTEGER.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

function readFloat(text: string): number | null {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
