import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from '@niobe/kernel';
import fc from 'fast-check';
import { bodyOf, compiled } from '../test/bodies.ts';
import {
  bitsSeen,
  bytesSeen,
  isNullAt,
  nearly,
  numberSeen,
  pathsOf,
  revisedPairs,
  valuesAt,
  type DeclaredPath,
} from '../test/revised-records.ts';
import type { ProjectedColumn } from './projected-column.ts';
import type { ProjectionBounds } from './projection.ts';
import { compileSchema } from './schema.ts';
import type { ScalarValue } from './types.ts';

const WORD_TYPES = ['i64', 'u64', 'decimal', 'timestamp', 'id'];
const AMPLE: ProjectionBounds = { rowsMax: 1000, bytesMax: 1_000_000 };

const cases = revisedPairs.chain((pair) =>
  fc.record({
    pair: fc.constant(pair),
    paths: fc.array(fc.constantFrom(...pathsOf(pair[0].after.fields)), { minLength: 1, maxLength: 4 }),
    isExact: fc.boolean(),
    times: fc.integer({ min: 1, max: 60 }),
  }),
);

/** Bodies one behind the other, with the columns that say where. */
function laidOut(bodies: readonly Uint8Array[]) {
  const lengths = Uint32Array.from(bodies, (body) => body.length);
  const starts = new Float64Array(bodies.length).fill(5);
  for (let i = 1; i < bodies.length; i++) starts[i] = starts[i - 1]! + lengths[i - 1]!;
  return { bytes: new Uint8Array(Buffer.concat([new Uint8Array(5), ...bodies])), starts, lengths };
}

/** The values of a row as bytes or numbers, in the form of the column. */
function rowOf(column: ProjectedColumn, row: number): unknown[] {
  const first = column.offsets === null ? row : column.offsets[row]!;
  const last = column.offsets === null ? row + 1 : column.offsets[row + 1]!;
  return Array.from({ length: last - first }, (_, i) => valueOf(column, first + i));
}

function valueOf({ path, values }: ProjectedColumn, index: number): unknown {
  if (values.kind === 'numbers') return nearly(path.field.declaration, values.values[index]!);
  if (values.kind === 'ranges')
    return Buffer.from(values.bytes.subarray(values.offsets[index], values.offsets[index + 1])).toString('hex');
  return (BigInt(values.high[index]!) << 32n) | BigInt(values.low[index]!);
}

/** A plain value in the form of the column. */
function expectedValue({ declaration }: DeclaredPath, { values }: ProjectedColumn, value: ScalarValue): unknown {
  if (values.kind === 'numbers') return nearly(declaration, numberSeen(declaration, value));
  return values.kind === 'words' ? bitsSeen(declaration, value) : bytesSeen(declaration, value);
}

describe('projections', () => {
  it('hold the values of each row, in bodies of either revision', () => {
    fc.assert(
      fc.property(cases, ({ pair, paths, isExact, times }) => {
        const schema = compiled(pair[0]);
        const projected = paths.map(({ text, declaration }) => ({
          path: text,
          ...(isExact && WORD_TYPES.includes(declaration.type) && { exact: true as const }),
        }));
        const projection = schema.compileProjection(projected, AMPLE);
        const bodies = Array.from({ length: times }, (_, i) => bodyOf(pair[i % 2]!));
        const { bytes, starts, lengths } = laidOut(bodies);
        const half = times >>> 1;
        // What an earlier use left behind must not show: here the rows come one place off.
        projection.add(bytes, starts, lengths, Math.min(1, times - 1), times);
        projection.clear();
        expect(projection.add(bytes, starts, lengths, 0, half)).toBe(half);
        expect(projection.add(bytes, starts, lengths, half, times)).toBe(times - half);
        expect(projection.rows).toBe(times);
        for (const [index, path] of paths.entries()) {
          const column = projection.columns[index]!;
          for (let row = 0; row < times; row++) {
            const { after, seen } = pair[row % 2]!;
            expect(column.isNull(row)).toBe(isNullAt(after.fields, seen, path.text));
            if (column.isNull(row) || path.declaration.type === 'record') continue;
            const values = valuesAt(after.fields, seen, path.text);
            expect(rowOf(column, row)).toEqual(values.map((value) => expectedValue(path, column, value)));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  const schema = compileSchema(16, 1, {
    name: 's',
    key: 'text',
    fields: { n: { type: 'i32' }, t: { type: 'text' }, l: { type: 'i64', array: true } },
  });

  function rows(count: number, text: string) {
    return laidOut(
      Array.from({ length: count }, (_, n) => {
        const out = new ByteWriter(10_000);
        schema.encode({ n, t: text, l: [n, n] }, out);
        return out.finish();
      }),
    );
  }

  it('take no more rows than they may, and go on when cleared', () => {
    const { bytes, starts, lengths } = rows(10, 'abc');
    const projection = schema.compileProjection([{ path: 'n' }], { rowsMax: 4, bytesMax: 100 });
    const seen: number[] = [];
    for (let from = 0; from < 10; projection.clear()) {
      from += projection.add(bytes, starts, lengths, from, 10);
      expect(projection.add(bytes, starts, lengths, from, 10)).toBe(0);
      for (let row = 0; row < projection.rows; row++) seen.push(rowOf(projection.columns[0]!, row)[0] as number);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('take no more bytes than they may, and go on when cleared', () => {
    const { bytes, starts, lengths } = rows(10, 'x'.repeat(30));
    const projection = schema.compileProjection([{ path: 't' }, { path: 'l' }], { rowsMax: 100, bytesMax: 100 });
    let rowsSeen = 0;
    for (let from = 0; from < 10; projection.clear()) {
      const taken = projection.add(bytes, starts, lengths, from, 10);
      expect(taken).toBeGreaterThan(0);
      expect(
        projection.columns.reduce((sum, column) => sum + column.usedBytes(projection.rows), 0),
      ).toBeLessThanOrEqual(100);
      from += taken;
      rowsSeen += projection.rows;
    }
    expect(rowsSeen).toBe(10);
  });

  it('refuse a row that has no room even alone', () => {
    const { bytes, starts, lengths } = rows(1, 'x'.repeat(101));
    const projection = schema.compileProjection([{ path: 't' }], { rowsMax: 100, bytesMax: 100 });
    expect(() => projection.add(bytes, starts, lengths, 0, 1)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
  });

  it('refuse two words for what is no integer of 64 bits', () => {
    expect(() => schema.compileProjection([{ path: 'n', exact: true }], AMPLE)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST' }),
    );
  });
});
