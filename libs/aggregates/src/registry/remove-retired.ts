import type { CompiledSchema } from '@niobe/cells';
import { CURSOR_SCHEMA_ID, OpKind, SectionBuilder, type PreparedSection } from '@niobe/grid';
import { assert, type NiobeError } from '@niobe/kernel';
import type { CellGrid } from '../lane/cell-grid.ts';
import type { RetiredCube } from './cube-registry.ts';

/** Bytes of keys deleted in one section. */
const SECTION_BYTES = 256 * 1024;
const DEADLINE_MS = 10_000;
const NO_BODY = new Uint8Array(0);
const encoder = new TextEncoder();

/**
 * Removes the cells and the cursors of a retired cube. May be interrupted and repeated. Throws what the grid refuses.
 *
 * @param schemaOf null for a schema that was never registered or is removed already.
 */
export async function removeRetired(
  grid: CellGrid,
  { schemas, sources }: RetiredCube,
  schemaOf: (name: string) => CompiledSchema | null,
): Promise<void> {
  for (const name of schemas) {
    const schema = schemaOf(name);
    if (schema !== null) await removeCells(grid, schema);
  }
  const deletions = Array.from({ length: grid.partitions }, (_, partition) => cursorDeletion(partition, sources));
  await writeAll(grid, deletions);
}

/** One grid partition after the other, so that memory is bounded by one partition's keys. */
async function removeCells(grid: CellGrid, schema: CompiledSchema): Promise<void> {
  for (let partition = 0; partition < grid.partitions; partition++) {
    const sections: PreparedSection[] = [];
    const builder = new SectionBuilder();
    builder.start(partition);
    await grid.scan(schema, [], partition, DEADLINE_MS, (bytes, keyAt, keyBytes) => {
      assert(
        schema.partitionOfKey(bytes, keyAt, keyBytes, grid.partitions) === partition,
        'a cell lies where its key says',
      );
      builder.op(OpKind.DELETE, schema.id, 0, bytes, keyAt, keyBytes, NO_BODY, 0, 0);
      if (builder.length < SECTION_BYTES) return;
      sections.push(builder.finish());
      builder.start(partition);
    });
    if (builder.ops > 0) sections.push(builder.finish());
    await writeAll(grid, sections);
  }
}

function cursorDeletion(partition: number, sources: readonly string[]): PreparedSection {
  const builder = new SectionBuilder();
  builder.start(partition);
  for (const source of sources) {
    const key = encoder.encode(source);
    builder.op(OpKind.DELETE, CURSOR_SCHEMA_ID, 0, key, 0, key.length, NO_BODY, 0, 0);
  }
  return builder.finish();
}

async function writeAll(grid: CellGrid, sections: readonly PreparedSection[]): Promise<void> {
  if (sections.length === 0) return;
  const answers = await grid.write(sections, DEADLINE_MS);
  const refusal: NiobeError | null = answers.find((answer) => answer.refusal !== null)?.refusal ?? null;
  if (refusal !== null) throw refusal;
}
