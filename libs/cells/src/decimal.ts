import { NiobeError } from '@niobe/kernel';
import { SCALE_MAX } from './types.ts';

/**
 * Exact decimals: an integer scaled by 10^scale, scale 0 to 9, kept in 64 bits. Nothing is ever rounded: what has more digits than the
 * scale is refused.
 */

/** Up to this many digits an integer is exact as a number whatever its digits are. */
const EXACT_DIGITS = 15;
/** A JSON number keeps this many significant digits for certain. */
const NUMBER_DIGITS_MAX = 15;
/** Longest text that is looked at: sign, 19 digits, point, room for leading zeros. */
const TEXT_LENGTH_MAX = 64;
const I64_LIMIT = 2n ** 63n;

const ZERO = 48;
const MINUS = 45;
const PLUS = 43;
const POINT = 46;

/**
 * The scaled integer of a decimal: `parseDecimal('2.55', 3)` is 2550. A number while it is safe, else a bigint within 64 bits.
 * Throws `SCHEMA_VIOLATION` (the caller adds the path) for anything else than digits with at most one point, for more digits than
 * `scale`, for numbers of more than 15 significant digits and beyond 64 bits.
 */
export function parseDecimal(value: string | number, scale: number): number | bigint {
  return typeof value === 'number' ? parseText(plainText(value), scale) : parseText(value, scale);
}

function parseText(text: string, scale: number): number | bigint {
  const length = text.length;
  if (length === 0 || length > TEXT_LENGTH_MAX) throw refused('digits with at most one point');
  const first = text.charCodeAt(0);
  let at = first === MINUS || first === PLUS ? 1 : 0;
  const digitsAt = at;
  let mantissa = 0;
  let point = -1;
  for (; at < length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit >= 0 && digit <= 9) mantissa = mantissa * 10 + digit;
    else if (text.charCodeAt(at) === POINT && point < 0) point = at;
    else throw refused('digits with at most one point');
  }
  const digits = length - digitsAt - (point < 0 ? 0 : 1);
  const fraction = point < 0 ? 0 : length - point - 1;
  if (digits - fraction === 0 || point === length - 1) throw refused('digits before and after the point');
  if (fraction > scale) throw refused(`at most ${scale} digits after the point`);
  if (digits + scale - fraction > EXACT_DIGITS) return parseLong(text, scale - fraction);
  const scaled = mantissa * POWERS[scale - fraction]!;
  return first === MINUS && scaled !== 0 ? -scaled : scaled;
}

function parseLong(text: string, zeros: number): number | bigint {
  const scaled = BigInt(text.replace('.', '').replace('+', '')) * 10n ** BigInt(zeros);
  if (scaled >= I64_LIMIT || scaled < -I64_LIMIT) throw refused('a value within 64 bits when scaled');
  return asNumber(scaled);
}

const POWERS = Float64Array.from({ length: SCALE_MAX + 1 }, (_, exponent) => 10 ** exponent);

/** A number as digits without an exponent. */
function plainText(value: number): string {
  if (!Number.isFinite(value)) throw refused('a finite number');
  const text = String(value);
  const exponentAt = text.indexOf('e');
  const mantissa = exponentAt < 0 ? text : text.slice(0, exponentAt);
  if (significantDigits(mantissa) > NUMBER_DIGITS_MAX) {
    throw refused(`a number of at most ${NUMBER_DIGITS_MAX} significant digits; write it as text`);
  }
  return exponentAt < 0 ? text : moveDecimalPoint(mantissa, Number(text.slice(exponentAt + 1)));
}

function significantDigits(mantissa: string): number {
  const digits = mantissa.replace('-', '').replace('.', '').replace(/^0+/, '');
  return mantissa.includes('.') ? digits.length : digits.replace(/0+$/, '').length;
}

/** Writes `d.ddd` times 10^exponent without exponent. The exponent of a double is within +-324. */
function moveDecimalPoint(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${whole}${fraction}`;
  return sign + whole + fraction.padEnd(exponent, '0');
}

/** The canonical text of a scaled integer: exactly `scale` digits after the point; `formatDecimal(2550, 3)` is `2.550`. */
export function formatDecimal(scaled: number | bigint, scale: number): string {
  const negative = scaled < 0;
  const digits = (negative ? -BigInt(scaled) : BigInt(scaled)).toString().padStart(scale + 1, '0');
  const sign = negative ? '-' : '';
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A bigint as a number where that is exact. */
export function asNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function refused(expected: string): NiobeError {
  return new NiobeError('SCHEMA_VIOLATION', `a decimal must be ${expected}`);
}
