import { compareRevisions, type CellRecord, type CompiledSchema } from '@niobe/cells';
import { NiobeError } from '@niobe/kernel';
import { declarationOf, type CellDefinition, type KeyOf, type NewRecordOf, type RecordOf } from './cell.ts';

/** Version of a cell's last write. */
export interface CellVersion {
  readonly epoch: number;
  readonly seq: number;
}

/** How to read. */
export interface CellReadOptions {
  readonly deadlineMs?: number;
}

/** How to write. */
export interface CellWriteOptions extends CellReadOptions {
  /** Unix seconds after which the cell is gone; 0 = never. */
  readonly expiresS?: number;
}

/** A client of cells, as `GridClient` of `@niobe/grid` is one. */
export interface CellClient {
  get(
    schema: CompiledSchema,
    key: string | number,
    options?: CellReadOptions,
  ): Promise<{ readonly record: CellRecord; readonly version: CellVersion } | null>;
  put(
    schema: CompiledSchema,
    key: string | number,
    record: CellRecord,
    options?: CellWriteOptions,
  ): Promise<CellVersion>;
  merge(
    schema: CompiledSchema,
    key: string | number,
    delta: CellRecord,
    options?: CellWriteOptions,
  ): Promise<CellVersion>;
}

/** A cell with the types of its definition. */
export interface TypedCell<Cell extends CellDefinition> {
  readonly record: RecordOf<Cell>;
  readonly version: CellVersion;
}

/** The cells of one schema through a client, with the types of its definition; errors are the client's. */
export class TypedCells<Cell extends CellDefinition> {
  readonly #client: CellClient;
  readonly #schema: CompiledSchema;

  /** Throws `INCOMPATIBLE` where the registered `schema` is not what is defined. */
  constructor(client: CellClient, schema: CompiledSchema, definition: Cell) {
    const result = compareRevisions(declarationOf(definition), schema.declaration);
    if (typeof result === 'object') {
      throw new NiobeError(
        'INCOMPATIBLE',
        `cells of ${definition.name} are registered otherwise than defined: ${result.reasons.join('; ')}`,
        {
          reasons: result.reasons,
        },
      );
    }
    this.#client = client;
    this.#schema = schema;
  }

  async get(key: KeyOf<Cell>, options?: CellReadOptions): Promise<TypedCell<Cell> | null> {
    const cell = await this.#client.get(this.#schema, key, options);
    return cell as TypedCell<Cell> | null;
  }

  /** Writes a cell, there before or not. */
  put(key: KeyOf<Cell>, record: NewRecordOf<Cell>, options?: CellWriteOptions): Promise<CellVersion> {
    return this.#client.put(this.#schema, key, record as CellRecord, options);
  }

  /** Joins `delta` into a cell by the merge operators of its fields; writes it where there was none. */
  merge(key: KeyOf<Cell>, delta: NewRecordOf<Cell>, options?: CellWriteOptions): Promise<CellVersion> {
    return this.#client.merge(this.#schema, key, delta as CellRecord, options);
  }
}
