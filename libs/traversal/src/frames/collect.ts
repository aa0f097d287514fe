import { ByteReader, copyRange, NiobeError, type ByteWriter } from '@niobe/kernel';
import { HOPS_MAX, LIMIT_MAX, POLL_MS, REPEAT_MAX } from '../limits.ts';
import { beginReply, beginRequest, openReply, readCount, readHeader, TraverseKind } from './header.ts';

/**
 * COLLECT: waits for the end of a search at one shard and takes its share of the answer, page by page.
 *
 *     request   header, u32 wait ms, u32 first row
 *     reply     header, u8 is over; if so: u53 total, u32 levels, u53 vertices ..., u32 rows in all, u32 rows here, row ...
 *     row       u16 schema, u32 level, u32 count, u16 key bytes, key
 *
 * `total` counts the vertices that the last hop reached at this shard, of which the rows are the first in the asked order.
 */

/** A row as it travels. */
export interface RowOnWire {
  readonly schemaId: number;
  readonly level: number;
  readonly count: number;
  readonly key: Uint8Array;
}

/** One shard's share of an answer, and one page of its rows. */
export interface SharePage {
  readonly total: number;
  /** Vertices by level. */
  readonly levels: readonly number[];
  readonly rows: readonly RowOnWire[];
  /** Rows of all pages. */
  readonly rowCount: number;
}

const LEVELS_MAX: number = HOPS_MAX * REPEAT_MAX + 1;
const ROW_HEADER_BYTES = 12;

export function collectFrame(task: number, waitMs: number, fromRow: number): Uint8Array {
  const out = beginRequest(TraverseKind.COLLECT, task);
  out.u32(waitMs);
  out.u32(fromRow);
  return out.finish();
}

/** Reads a COLLECT; a longer wait than {@link POLL_MS} is cut to it. Throws `MALFORMED`. */
export function readCollect(frame: Uint8Array): { readonly waitMs: number; readonly fromRow: number } {
  const reader = new ByteReader(frame);
  readHeader(reader);
  const waitMs = Math.min(reader.u32(), POLL_MS);
  const fromRow = reader.u32();
  reader.end();
  return { waitMs, fromRow };
}

/** The reply while the search goes on. */
export function runningReply(): Uint8Array {
  const out = beginReply(TraverseKind.COLLECT);
  out.u8(0);
  return out.finish();
}

/** Writes the rows `rows[fromRow ...]` until the reply has `pageBytes`, at least one where there is one. */
export function shareReply(share: SharePage, fromRow: number, pageBytes: number): Uint8Array {
  const out = beginReply(TraverseKind.COLLECT, 1024);
  out.u8(1);
  out.u53(share.total);
  out.u32(share.levels.length);
  for (const vertices of share.levels) out.u53(vertices);
  out.u32(share.rows.length);
  const countAt = out.reserve(4);
  const endBytes = out.length + pageBytes;
  let row = Math.min(fromRow, share.rows.length);
  const first = row;
  for (; row < share.rows.length && out.length < endBytes; row++) writeRow(out, share.rows[row]!);
  out.patchU32(countAt, row - first);
  return out.finish();
}

function writeRow(out: ByteWriter, { schemaId, level, count, key }: RowOnWire): void {
  out.u16(schemaId);
  out.u32(level);
  out.u32(count);
  out.u16(key.length);
  const at = out.reserve(key.length);
  copyRange(key, 0, key.length, out.buffer, at);
}

/** Reads a reply; null while the search goes on. Throws the error of the search, and `MALFORMED`. */
export function readShare(frame: Uint8Array): SharePage | null {
  const reader = openReply(frame, TraverseKind.COLLECT);
  if (reader.u8() === 0) return null;
  const total = reader.u53();
  const levels = Array.from({ length: readCount(reader, 'levels', LEVELS_MAX, 8) }, () => reader.u53());
  const rowCount = reader.u32();
  if (rowCount > LIMIT_MAX) throw new NiobeError('MALFORMED', `${rowCount} rows exceed ${LIMIT_MAX}`);
  const count = readCount(reader, 'rows', rowCount, ROW_HEADER_BYTES);
  const rows = Array.from({ length: count }, () => readRow(reader));
  reader.end();
  return { total, levels, rows, rowCount };
}

function readRow(reader: ByteReader): RowOnWire {
  return { schemaId: reader.u16(), level: reader.u32(), count: reader.u32(), key: reader.raw(reader.u16()) };
}
