import { describe, expect, it } from '@jest/globals';
import { compileSchema } from '@niobe/cells';
import { SEEN_SCHEMA, SEEN_SCHEMA_ID } from '@niobe/grid';
import { ByteWriter } from '@niobe/kernel';
import { readSeenCell, SeenCellBuilder } from './seen-cell.ts';

const schema = compileSchema(SEEN_SCHEMA_ID, 1, SEEN_SCHEMA);

/** The body of a cell of some ids, at offsets 1000, 1010 and so on. */
function bodyOf(ids: number): Uint8Array {
  const builder = new SeenCellBuilder();
  builder.begin('key', 1000);
  for (let i = 0; i < ids; i++) {
    builder.sawRecord(5000 + i);
    builder.add(Uint32Array.of(i, i + 1, i + 2, 0xffff_ffff - i), 1000 + i * 10, 5000 + i);
  }
  const out = new ByteWriter(1 << 20);
  builder.write(schema, 1000 + ids * 10, out);
  return out.finish();
}

function entriesOf(bytes: Uint8Array, at: number, length: number): string[] {
  const entries: string[] = [];
  readSeenCell(schema, 'key', bytes, at, length, 1010, (hash, offset, second) =>
    entries.push([...hash, offset, second].join(' ')),
  );
  return entries;
}

describe('a cell of seen ids', () => {
  it('is read as it was written, wherever it lies in what came off the wire', () => {
    const body = bodyOf(5);
    const expected = [1, 2, 3, 4].map((i) => [i, i + 1, i + 2, 0xffff_ffff - i, 1000 + i * 10, 5000 + i].join(' '));
    for (let at = 0; at < 8; at++) {
      const frame = Buffer.allocUnsafe(body.length + 16).fill(0xa5);
      frame.set(body, at);
      expect(entriesOf(frame, at, body.length)).toEqual(expected);
    }
  });

  it('is damaged where a column does not fit', () => {
    const body = bodyOf(3);
    const record = schema.decode(body, 0, body.length);
    for (const change of [{ offsets: new Uint8Array(8) }, { last: 1005 }]) {
      const out = new ByteWriter(1 << 16);
      schema.encode({ ...record, ...change }, out);
      expect(() => entriesOf(out.buffer, 0, out.length)).toThrow(/the cell of seen ids key .*; rebuild/);
    }
  });
});
