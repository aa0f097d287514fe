import type { KeyType } from '@niobe/cells';
import { compareRanges } from '@niobe/kernel';
import type { SearchOrder } from '../search.ts';

/**
 * A vertex of the answer with what orders it. One of these is made for a vertex that comes among the first `limit`, not for each that is
 * reached: the others are compared from a probe that is used again and again.
 */
export class Row {
  schemaId = 0;
  level = 0;
  count = 0;
  isText = false;
  /** An integer key. */
  number = 0;
  /** The key lies in `bytes[at, end)`. */
  bytes: Uint8Array = NO_BYTES;
  at = 0;
  end = 0;

  /** Takes the key in `bytes[at, end)`, without a copy. */
  setKey(schemaId: number, keyType: KeyType, bytes: Uint8Array, at: number, end: number): void {
    this.schemaId = schemaId;
    this.isText = keyType === 'text';
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    if (!this.isText) this.number = integerAt(bytes, at);
  }

  /** A row with a key of its own. */
  copy(): Row {
    const row = new Row();
    row.level = this.level;
    row.count = this.count;
    row.setKey(
      this.schemaId,
      this.isText ? 'text' : 'integer',
      this.bytes.slice(this.at, this.end),
      0,
      this.end - this.at,
    );
    return row;
  }
}

/** Negative where `a` comes before `b`. */
export type CompareRows = (a: Row, b: Row) => number;

/** The order of an answer: by what was asked, then by key (integers before texts, texts by code points), then by schema. */
export function rowOrder(order: SearchOrder): CompareRows {
  if (order === 'count') return (a, b) => b.count - a.count || compareKeys(a, b);
  if (order === 'level') return (a, b) => a.level - b.level || compareKeys(a, b);
  return compareKeys;
}

function compareKeys(a: Row, b: Row): number {
  if (a.isText !== b.isText) return a.isText ? 1 : -1;
  const byKey = a.isText ? compareRanges(a.bytes, a.at, a.end, b.bytes, b.at, b.end) : a.number - b.number;
  return byKey === 0 ? a.schemaId - b.schemaId : byKey;
}

/** A safe integer in 64 bits, two's complement, as integer keys are stored. */
function integerAt(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  return view.getUint32(0, true) + view.getInt32(4, true) * 0x1_0000_0000;
}

const NO_BYTES = new Uint8Array(0);
