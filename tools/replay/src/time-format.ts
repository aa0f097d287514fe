import { NiobeError } from '@niobe/kernel';

/** Reads a column as a time: ISO 8601 text in UTC with milliseconds, or null if the text does not fit the format. */
export type TimeReader = (text: string) => string | null;

const PARTS = { yyyy: 'year', MM: 'month', dd: 'day', HH: 'hour', mm: 'minute', ss: 'second', SSS: 'millisecond' };
type Part = keyof typeof PARTS;

/**
 * `iso`, `epoch-ms`, `epoch-s`, or a pattern of `yyyy MM dd HH mm ss SSS` of fixed width with any other characters between, read as
 * UTC. Parts that are missing are zero, or one for month and day. `BAD_DECLARATION` for a pattern without a year.
 */
export function compileTimeFormat(format: string): TimeReader {
  if (format === 'iso') return (text) => (/^\d{4}-/.test(text) ? isoOf(Date.parse(text)) : null);
  if (format === 'epoch-ms') return (text) => (/^-?\d+$/.test(text) ? isoOf(Number(text)) : null);
  if (format === 'epoch-s') return (text) => (/^-?\d+$/.test(text) ? isoOf(Number(text) * 1000) : null);
  return compilePattern(format);
}

function compilePattern(format: string): TimeReader {
  if (!format.includes('yyyy')) {
    throw new NiobeError(
      'BAD_DECLARATION',
      `time format ${JSON.stringify(format)} is none of iso, epoch-ms, epoch-s and has no yyyy`,
    );
  }
  const expression = format
    .replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
    .replace(/yyyy|MM|dd|HH|mm|SSS|ss/g, (part) => `(?<${PARTS[part as Part]}>\\d{${part.length}})`);
  const pattern = new RegExp(`^${expression}$`);
  return (text) => {
    const parts = pattern.exec(text)?.groups;
    return parts === undefined ? null : fromParts(parts);
  };
}

function fromParts(parts: Record<string, string>): string | null {
  const { year, month = '01', day = '01', hour = '00', minute = '00', second = '00', millisecond = '000' } = parts;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`;
  // A date such as February 30 comes back as another one.
  return isoOf(Date.parse(iso)) === iso ? iso : null;
}

function isoOf(ms: number): string | null {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null;
}
