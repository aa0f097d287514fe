import {
  formatOf,
  readBatches,
  readEnd,
  readStart,
  SEGMENT_FORMAT,
  type SegmentBatch,
  type SegmentEnd,
  type SegmentEntry,
} from '@niobe/store';
import { CellText } from './cell-text.ts';

/** What is printed of a segment. */
export interface DumpOptions {
  /** One JSON object a line instead of text. */
  readonly json: boolean;
  /** The entries too, not the batches alone. */
  readonly cells: boolean;
  /** So many bytes are known to have been durable: what does not check below them is damage. */
  readonly durableBytes: number;
}

/** Writes one line; lines end without newline. */
export type Print = (line: string) => void;

/**
 * Prints a segment: its start, its batches, with `cells` their entries, and how it ends. Definitions of schemas are taken from the segment
 * itself, so a cell whose definition is in another one is printed as bytes. Returns false where bytes are damaged.
 */
export function dumpSegment(bytes: Uint8Array, options: DumpOptions, print: Print): boolean {
  const say = options.json
    ? (facts: Facts): void => print(JSON.stringify(facts))
    : (facts: Facts, text: string): void => print(text);
  const format = formatOf(bytes);
  const start = readStart(bytes);
  if (start !== null) {
    const opened = new Date(start.openedS * 1000).toISOString();
    const { segment, partition, epoch } = start;
    const head = `segment ${segment} of partition ${partition}, format ${format}, opened ${opened} in epoch ${epoch}`;
    say({ is: 'start', format, segment, partition, epoch, opened }, head);
  }
  const text = new CellText();
  for (const batch of readBatches(bytes)) {
    text.learn(bytes, batch.entries);
    sayBatch(batch, say);
    if (options.cells) for (const entry of batch.entries) sayEntry(bytes, entry, text, say);
  }
  return sayEnd(readEnd(bytes), format, options.durableBytes, say);
}

type Facts = Readonly<Record<string, unknown>>;
type Say = (facts: Facts, text: string) => void;

function sayBatch({ offset, bytes, epoch, seq, timeMs, entries }: SegmentBatch, say: Say): void {
  const time = new Date(timeMs).toISOString();
  const counts = ['cell', 'tombstone', 'schema']
    .map((kind) => [kind, entries.filter((entry) => entry.kind === kind).length] as const)
    .filter(([, count]) => count > 0);
  const what = counts.map(([kind, count]) => `${count} ${kind}${count === 1 ? '' : 's'}`).join(', ');
  const line = `@${offset}  batch ${epoch}.${seq}  ${time}  ${bytes} bytes, CRC checks: ${what || 'nothing'}`;
  say({ is: 'batch', offset, bytes, epoch, seq, time, crc: true, entries: Object.fromEntries(counts) }, line);
}

function sayEntry(bytes: Uint8Array, entry: SegmentEntry, text: CellText, say: Say): void {
  const { kind, offset, schemaId, slot, generation, epoch, seq, expiresS } = entry;
  const schema = text.nameOf(schemaId);
  const expires = expiresS === 0 ? null : new Date(expiresS * 1000).toISOString();
  const content = text.contentOf(bytes, entry);
  const place = kind === 'schema' ? '' : ` slot ${slot} generation ${generation}`;
  const ends = expires === null ? '' : ` expires ${expires}`;
  const shown = content === null ? '' : ` ${JSON.stringify(content)}`;
  say(
    { is: kind, offset, schema, schemaId, slot, generation, epoch, seq, expires, bytes: entry.bytes, ...content },
    `    @${offset}  ${kind} ${schema}${place} version ${epoch}.${seq}${ends}${shown}`,
  );
}

function sayEnd(end: SegmentEnd, format: number | null, durableBytes: number, say: Say): boolean {
  const { validBytes, restBytes, is } = end;
  const isDamaged = is === 'damage' || validBytes < durableBytes || (validBytes === 0 && restBytes > 0);
  const words = isDamaged ? damageWords(end, format) : ENDS[is](validBytes, restBytes);
  say({ is: 'end', validBytes, restBytes, end: isDamaged ? 'damage' : is }, words);
  return !isDamaged;
}

function damageWords({ validBytes, restBytes }: SegmentEnd, format: number | null): string {
  if (format !== null && format !== SEGMENT_FORMAT)
    return `of format ${format}; this version reads ${SEGMENT_FORMAT}: use the version that wrote it`;
  if (validBytes === 0) return `DAMAGED or no segment: nothing of ${restBytes} bytes checks`;
  return `DAMAGED at byte ${validBytes}: the batch there does not check, ${restBytes} bytes are left`;
}

const ENDS: Readonly<Record<SegmentEnd['is'], (validBytes: number, restBytes: number) => string>> = {
  whole: (valid) => `whole: ${valid} bytes check`,
  zeros: (valid, rest) => `whole: ${valid} bytes check, ${rest} bytes behind them were never written`,
  tail: (valid, rest) => `torn tail of ${rest} bytes at byte ${valid}; damage if the ledger says they were durable`,
  damage: (valid) => `DAMAGED at byte ${valid}`,
};
