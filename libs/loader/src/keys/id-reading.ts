import { assert } from '@niobe/kernel';
import type { IdSource } from './id-source.ts';
import type { VertexIds } from './vertex-ids.ts';

/** Ids asked for in one go: two frames to each of two shards, and bounded memory for keys of full length. */
const IDS_PER_READ = 65_536;
const KEY_BYTES_PER_READ: number = 8 * 1024 * 1024;

/**
 * Reads the ids of the rows `wanted[0, count)` from the grid into `vertices`, where they stay unknown if there is no cell. O(count).
 * Throws a `NiobeError`; rows read before it have their ids.
 */
export async function readIds(
  source: IdSource,
  vertices: VertexIds,
  wanted: Uint32Array,
  count: number,
  deadlineMs: number,
): Promise<void> {
  const { keys } = vertices;
  const ends = new Uint32Array(Math.min(count, IDS_PER_READ));
  for (let done = 0; done < count;) {
    const first = done;
    let bytes = 0;
    for (; done < count && done - first < IDS_PER_READ && bytes < KEY_BYTES_PER_READ; done++) {
      bytes += keys.keyEnd(wanted[done]!) - keys.keyStart(wanted[done]!);
      ends[done - first] = bytes;
    }
    const gathered = gather(vertices, wanted, first, done, bytes);
    const ids = await source.ids(keys.schema, gathered, ends, done - first, { deadlineMs });
    for (let i = first; i < done; i++) if (ids[i - first]! >= 0) vertices.set(wanted[i]!, ids[i - first]!);
  }
}

/** The keys of `wanted[first, end)`, end to end. */
function gather({ keys }: VertexIds, wanted: Uint32Array, first: number, end: number, bytes: number): Uint8Array {
  const gathered = new Uint8Array(bytes);
  let at = 0;
  for (let i = first; i < end; i++) {
    const start = keys.keyStart(wanted[i]!);
    const stop = keys.keyEnd(wanted[i]!);
    gathered.set(keys.bytes.subarray(start, stop), at);
    at += stop - start;
  }
  assert(at === bytes, 'keys are as long as they were');
  return gathered;
}
