import { assert, ByteWriter, NiobeError } from '@niobe/kernel';
import { TIMESTAMP_MS_MAX, type BodyBuilder, type CompiledSchema } from '@niobe/cells';
import { CURSOR_SCHEMA_ID, type WriteRequest } from '@niobe/grid';
import type { PartitionStore } from '@niobe/store';

/**
 * `applied[source]`: how far each source is in, kept as one cell a source in the batch that it counts. A batch of a source is taken
 * only where the one before ended, so that a batch that is sent twice, or by an owner that has lost its office, changes nothing.
 */

const CURSOR_BYTES_MAX = 4096;

/** Reads and writes the cursor cells of a section's sources. */
export class AppliedSources {
  readonly #schema: CompiledSchema;
  readonly #body: BodyBuilder;
  readonly #offset: number;
  readonly #watermark: number;
  readonly #cell = new ByteWriter(CURSOR_BYTES_MAX);

  constructor(schema: CompiledSchema) {
    assert(schema.id === CURSOR_SCHEMA_ID, 'cursors are cells of their system schema');
    this.#schema = schema;
    this.#body = schema.bodyBuilder();
    this.#offset = schema.field('offset').index;
    this.#watermark = schema.field('watermark').index;
  }

  /** `applied` of the request's present source; 0 for one that never came. */
  appliedOf(request: WriteRequest, store: PartitionStore): number {
    const slot = store.find(CURSOR_SCHEMA_ID, request.bytes, request.nameAt, request.nameBytes);
    return slot < 0 ? 0 : this.#schema.readNumber(store.bytes, store.bodyStart(slot), this.#offset);
  }

  /** Moves the present source to its `to`, in the open batch. Throws `MALFORMED` or `SCHEMA_VIOLATION` for what is no source. */
  advance(request: WriteRequest, store: PartitionStore): void {
    const { nameAt, nameBytes, watermarkMs } = request;
    const hasWatermark = isTimestamp(watermarkMs);
    const cell = this.#cell;
    cell.reset();
    cell.raw(request.bytes.subarray(nameAt, nameAt + nameBytes));
    this.#body.begin(cell);
    this.#body.setNumber(this.#offset, request.to);
    if (hasWatermark) this.#body.setNumber(this.#watermark, watermarkMs);
    const bodyBytes = this.#body.end();
    store.put(CURSOR_SCHEMA_ID, cell.buffer, 0, nameBytes, nameBytes, bodyBytes, 0);
  }
}

/** False for none; throws for what is neither. */
function isTimestamp(watermarkMs: number): boolean {
  if (Number.isNaN(watermarkMs)) return false;
  if (Number.isInteger(watermarkMs) && Math.abs(watermarkMs) <= TIMESTAMP_MS_MAX) return true;
  throw new NiobeError('MALFORMED', 'a watermark that is no time in milliseconds');
}
