import { NiobeError } from '@niobe/kernel';
import type { CursorRow } from './cell-grid.ts';
import type { ShareParts } from './lane-share.ts';

/**
 * By grid partition: the cursor that a lane's derivations have in common in one stage. Throws `OFFSET_MISMATCH` where they have not.
 *
 * @param rows by grid partition: the cursors of the sources of all stages, in order.
 */
export function stageCursors(rows: readonly (readonly CursorRow[])[], parts: ShareParts, stage: number): Float64Array {
  const { sources, topic, partition, names } = parts;
  const first = stage * names.length;
  return Float64Array.from(rows, (row, gridPartition) => {
    const offsets = row.slice(first, first + sources[stage]!.length).map(({ offset }) => offset ?? 0);
    if (offsets.every((offset) => offset === offsets[0])) return offsets[0]!;
    throw new NiobeError(
      'OFFSET_MISMATCH',
      `topic ${topic.name}, partition ${partition}: ${names.join(', ')} have different cursors in grid partition ${gridPartition}`,
    );
  });
}
