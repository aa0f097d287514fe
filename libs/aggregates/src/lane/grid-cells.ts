import type { Clause, CompiledSchema } from '@niobe/cells';
import { CURSOR_SCHEMA_ID, type GridClient, type PreparedSection } from '@niobe/grid';
import { assert, isNiobeError } from '@niobe/kernel';
import type { CellGrid, CursorRow, SectionAnswer, VisitCell } from './cell-grid.ts';

const NO_OFFSETS: readonly number[] = [];

/** {@link CellGrid} over a grid client. */
export class GridCells implements CellGrid {
  readonly partitions: number;
  readonly #client: GridClient;
  readonly #cursorSchema: CompiledSchema;

  /** @param cursorSchema the system schema of cursors. */
  constructor(client: GridClient, partitions: number, cursorSchema: CompiledSchema) {
    assert(cursorSchema.id === CURSOR_SCHEMA_ID, 'the system schema of cursors');
    this.#client = client;
    this.partitions = partitions;
    this.#cursorSchema = cursorSchema;
  }

  async write(sections: readonly PreparedSection[], deadlineMs: number): Promise<SectionAnswer[]> {
    try {
      const results = await this.#client.write(sections, { deadlineMs });
      return results.map(({ error, presentOffsets, opIndex }) => ({ refusal: error, presentOffsets, opIndex }));
    } catch (refusal) {
      if (!isNiobeError(refusal)) throw refusal;
      return sections.map(() => ({ refusal, presentOffsets: NO_OFFSETS, opIndex: -1 }));
    }
  }

  /** Cursors are few and lie where their keys do not point, so each grid partition is scanned for them. */
  async cursors(sources: readonly string[], deadlineMs: number): Promise<CursorRow[][]> {
    const indexOf = new Map(sources.map((source, index) => [source, index]));
    const rows = Array.from({ length: this.partitions }, () =>
      sources.map((): CursorRow => ({ offset: null, watermarkMs: null })),
    );
    for await (const page of this.#client.scan(this.#cursorSchema, { roundMs: deadlineMs })) {
      while (page.next()) {
        const index = indexOf.get(page.key() as string);
        if (index === undefined) continue;
        const { offset, watermark } = page.record() as { offset: number; watermark: number | null };
        rows[page.partition]![index] = { offset, watermarkMs: watermark };
      }
    }
    return rows;
  }

  async scan(
    schema: CompiledSchema,
    clauses: readonly Clause[],
    partition: number | null,
    deadlineMs: number,
    visit: VisitCell,
  ): Promise<void> {
    const where = partition === null ? {} : { partitions: [partition] };
    for await (const page of this.#client.scan(schema, { clauses, roundMs: deadlineMs, ...where })) {
      while (page.next()) visit(page.bytes, page.keyAt, page.keyBytes, page.bodyAt, page.bodyBytes);
    }
  }

  async getMany(schema: CompiledSchema, keys: readonly string[], deadlineMs: number): Promise<(Uint8Array | null)[]> {
    const cells = await this.#client.getMany(schema, keys, { deadlineMs });
    return keys.map((_, index) => {
      if (!cells.found(index)) return null;
      const at = cells.bodyAt(index);
      return cells.bytes(index).subarray(at, at + cells.bodyBytes(index));
    });
  }
}
