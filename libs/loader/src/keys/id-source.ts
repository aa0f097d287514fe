import type { CompiledSchema } from '@niobe/cells';

/** What reads the ids of cells from the grid; a grid client does. */
export interface IdSource {
  /**
   * The ids of the cells of `count` keys of one schema, -1 where there is none. Key i is `bytes[ends[i - 1], ends[i])`, the first from 0.
   * Throws a `NiobeError`.
   */
  ids(
    schema: CompiledSchema,
    bytes: Uint8Array,
    ends: Uint32Array,
    count: number,
    options: { readonly deadlineMs: number },
  ): Promise<Float64Array>;
}
