import { writeClauses, type CellRecord, type Clause, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, deferred, NiobeError, type Deferred } from '@niobe/kernel';
import { Ack, OpKind, type AckCode, type OpKindCode } from '../frames/write-request.ts';
import { FRAME_BYTES } from '../limits.ts';
import { CellBatch, type Cell, type Version } from './cell-batch.ts';
import { GetRun, type CellColumns } from './get-run.ts';
import { IdBatch } from './id-batch.ts';
import { KeyBatch } from './key-batch.ts';
import { SECTION_BYTES_MAX, SectionBuilder, type PreparedSection } from './prepared-section.ts';
import { runScan, type ScanPage } from './scan-run.ts';
import { ShardRouter, type ShardRouterOptions } from './shard-router.ts';
import { TickBundles } from './tick-bundle.ts';
import { WriteRun, type SectionResult } from './write-run.ts';

/**
 * The cells of the grid as one process sees them, wherever they are.
 *
 * 1. Operations of one tick to one shard share frames; a frame holds up to 1 MiB and the cell that fills it.
 * 2. `NOT_PRIMARY` brings the new row of the partition and the operation goes there.
 * 3. Reads, scans and bulk writes with sources are repeated until their deadline. Single writes are repeated only where nothing was
 *    done; if their answer is lost they end with `UNKNOWN` or `DEADLINE`, and may have been done.
 */

/** What a {@link GridClient} needs. */
export type GridClientOptions = ShardRouterOptions;

/** How to read. */
export interface ReadOptions {
  /** Milliseconds until `DEADLINE`; default 10,000. */
  readonly deadlineMs?: number;
}

/** How to write a cell. */
export interface WriteOptions extends ReadOptions {
  /** Default durable. */
  readonly ack?: AckCode;
  /** Unix seconds after which the cell is gone; default 0 = never. */
  readonly expiresS?: number;
}

/** How to write in bulk. */
export interface BulkOptions extends ReadOptions {
  /** Default durable. */
  readonly ack?: AckCode;
  /** Default false. */
  readonly versionsWanted?: boolean;
}

/** What to scan, and how. */
export interface ScanOptions {
  /** Only cells that meet all of these. */
  readonly clauses?: readonly Clause[];
  /** Default all. */
  readonly partitions?: readonly number[];
  /** Bytes of rows a shard gives at once; default 512 KiB. */
  readonly limitBytes?: number;
  /** How long one round may take, with repetitions, before the scan fails; default 10,000. */
  readonly roundMs?: number;
}

const DEADLINE_MS = 10_000;
const SCAN_LIMIT_BYTES: number = FRAME_BYTES / 2;
const CLAUSES_BYTES_MAX = 256 * 1024;
const ANY_VERSION: Version = { epoch: 0, seq: 0 };
const NO_BYTES = new Uint8Array(0);

interface GetBundle {
  readonly keys: KeyBatch;
  readonly answers: Deferred<Cell | null>[];
}

interface WriteBundle {
  readonly sections: PreparedSection[];
  readonly answers: Deferred<Version>[];
}

const beginGets = (): GetBundle => ({ keys: new KeyBatch(), answers: [] });
const beginWrites = (): WriteBundle => ({ sections: [], answers: [] });

/** Reads and writes cells. One per process. */
export class GridClient {
  readonly #router: ShardRouter;
  readonly #gets: TickBundles<GetBundle>;
  readonly #writes: TickBundles<WriteBundle>;
  readonly #section: SectionBuilder = new SectionBuilder();
  readonly #key: ByteWriter = new ByteWriter(SECTION_BYTES_MAX);
  readonly #body: ByteWriter = new ByteWriter(SECTION_BYTES_MAX);

  constructor(options: GridClientOptions) {
    this.#router = new ShardRouter(options);
    const { clock } = options;
    this.#gets = new TickBundles(clock, beginGets, (key, bundle) => this.#runGets(key, bundle));
    this.#writes = new TickBundles(clock, beginWrites, (key, bundle) => this.#runWrites(key, bundle));
  }

  /** The cell of a key, or null. */
  async get(schema: CompiledSchema, key: string | number, options: ReadOptions = {}): Promise<Cell | null> {
    const bundle = this.#gets.current(`${options.deadlineMs ?? DEADLINE_MS}`);
    const answer = deferred<Cell | null>();
    bundle.keys.add(schema, key, this.#router.partitions);
    bundle.answers.push(answer);
    return answer.promise;
  }

  /** The cells of many keys of one schema, in their order. Fails as a whole if one of them cannot be read. */
  async getMany(
    schema: CompiledSchema,
    keys: readonly (string | number)[],
    options: ReadOptions = {},
  ): Promise<CellBatch> {
    const batch = new KeyBatch();
    for (const key of keys) batch.add(schema, key, this.#router.partitions);
    const cells = new CellBatch(batch);
    await this.#readAll(batch, cells, options);
    return cells;
  }

  /**
   * The ids of the cells of many keys of one schema, in their order; `NO_CELL` where there is none. Key i is
   * `bytes[ends[i - 1], ends[i])`, the first from 0. Bodies do not travel and no object is made per key. Fails as a whole if one of
   * them cannot be read; `TOO_LARGE` above 64 MiB of keys.
   *
   * @param count how many of `ends` are keys
   */
  async ids(
    schema: CompiledSchema,
    bytes: Uint8Array,
    ends: Uint32Array,
    count: number,
    options: ReadOptions = {},
  ): Promise<Float64Array> {
    const batch = new KeyBatch();
    let at = 0;
    for (let i = 0; i < count; i++) {
      batch.addRange(schema, bytes, at, ends[i]! - at, this.#router.partitions);
      at = ends[i]!;
    }
    const found = new IdBatch(batch);
    await this.#readAll(batch, found, options);
    return found.ids;
  }

  async #readAll(keys: KeyBatch, cells: CellColumns, options: ReadOptions): Promise<void> {
    let failure: NiobeError | null = null;
    const run = new GetRun(this.#router, keys, cells, this.#endMs(options), (_index, error) => (failure ??= error));
    await run.run();
    if (failure !== null) throw failure as NiobeError;
  }

  /** Writes a cell, there before or not. Returns its version. */
  put(schema: CompiledSchema, key: string | number, record: CellRecord, options: WriteOptions = {}): Promise<Version> {
    return this.#writeRecord(OpKind.PUT, schema, key, record, ANY_VERSION, options);
  }

  /** Writes a cell that was not there; `EXISTS` if it was. */
  putIfAbsent(
    schema: CompiledSchema,
    key: string | number,
    record: CellRecord,
    options: WriteOptions = {},
  ): Promise<Version> {
    return this.#writeRecord(OpKind.PUT_IF_ABSENT, schema, key, record, ANY_VERSION, options);
  }

  /** Writes a cell that is at `version`; `VERSION_MISMATCH` if it is not, or not there. */
  replace(
    schema: CompiledSchema,
    key: string | number,
    record: CellRecord,
    version: Version,
    options: WriteOptions = {},
  ): Promise<Version> {
    return this.#writeRecord(OpKind.REPLACE, schema, key, record, version, options);
  }

  /** Joins `delta` into a cell by the merge operators of its fields; writes it where there was none. */
  merge(schema: CompiledSchema, key: string | number, delta: CellRecord, options: WriteOptions = {}): Promise<Version> {
    return this.#writeRecord(OpKind.MERGE, schema, key, delta, ANY_VERSION, options);
  }

  /** Removes a cell: at `version`, else `VERSION_MISMATCH`; or, without one, whatever is there. */
  delete(
    schema: CompiledSchema,
    key: string | number,
    version: Version = ANY_VERSION,
    options: WriteOptions = {},
  ): Promise<Version> {
    return this.#write(OpKind.DELETE, schema, key, NO_BYTES, version, options);
  }

  /** Writes prepared sections, each an atomic batch, and says what became of each. Fails only for a section too long for a frame. */
  async write(sections: readonly PreparedSection[], options: BulkOptions = {}): Promise<SectionResult[]> {
    for (const section of sections) checkLength(section);
    const results: SectionResult[] = [];
    const { ack = Ack.DURABLE, versionsWanted = false } = options;
    const how = { ack, versionsWanted, endMs: this.#endMs(options) };
    await new WriteRun(this.#router, sections, how, (index, result) => (results[index] = result)).run();
    return results;
  }

  /** Every cell of a schema that meets the clauses, page by page, in no order; see scan-run.ts. */
  scan(schema: CompiledSchema, options: ScanOptions = {}): AsyncGenerator<ScanPage, void, undefined> {
    const clauses = new ByteWriter(CLAUSES_BYTES_MAX);
    writeClauses(options.clauses ?? [], clauses);
    const wish = { schemaId: schema.id, clauses: clauses.finish(), limitBytes: options.limitBytes ?? SCAN_LIMIT_BYTES };
    const partitions =
      options.partitions ?? Array.from({ length: this.#router.partitions }, (_, partition) => partition);
    return runScan(this.#router, { schema, wish, partitions, roundMs: options.roundMs ?? DEADLINE_MS });
  }

  async #writeRecord(
    kind: OpKindCode,
    schema: CompiledSchema,
    key: string | number,
    record: CellRecord,
    version: Version,
    options: WriteOptions,
  ): Promise<Version> {
    this.#body.reset();
    schema.encode(record, this.#body);
    return this.#write(kind, schema, key, this.#body.peek(), version, options);
  }

  /** One operation as a section of its own in the frames of this tick. */
  async #write(
    kind: OpKindCode,
    schema: CompiledSchema,
    key: string | number,
    body: Uint8Array,
    version: Version,
    options: WriteOptions,
  ): Promise<Version> {
    this.#key.reset();
    schema.encodeKey(key, this.#key);
    const { length: keyBytes, buffer } = this.#key;
    this.#section.start(schema.partitionOfKey(buffer, 0, keyBytes, this.#router.partitions));
    const expiresS = options.expiresS ?? 0;
    this.#section.op(kind, schema.id, expiresS, buffer, 0, keyBytes, body, 0, body.length, version.epoch, version.seq);
    const bundle = this.#writes.current(`${options.ack ?? Ack.DURABLE} ${options.deadlineMs ?? DEADLINE_MS}`);
    const answer = deferred<Version>();
    bundle.sections.push(this.#section.finish());
    bundle.answers.push(answer);
    return answer.promise;
  }

  #runGets(key: string, { keys, answers }: GetBundle): void {
    const cells = new CellBatch(keys);
    const endMs = this.#router.clock.monotonicMs() + Number(key);
    const run = new GetRun(this.#router, keys, cells, endMs, (index, error) => {
      if (error === null) answers[index]!.resolve(cells.cell(index));
      else answers[index]!.reject(error);
    });
    void run.run();
  }

  #runWrites(key: string, { sections, answers }: WriteBundle): void {
    const [ack, deadlineMs] = key.split(' ').map(Number) as [AckCode, number];
    const how = { ack, versionsWanted: true, endMs: this.#router.clock.monotonicMs() + deadlineMs };
    const run = new WriteRun(this.#router, sections, how, (index, result) => {
      if (result.error === null) answers[index]!.resolve(result.versions[0] ?? result.commit ?? ANY_VERSION);
      else answers[index]!.reject(result.error);
    });
    void run.run();
  }

  #endMs(options: ReadOptions): number {
    return this.#router.clock.monotonicMs() + (options.deadlineMs ?? DEADLINE_MS);
  }
}

function checkLength({ content, partition }: PreparedSection): void {
  if (content.length > SECTION_BYTES_MAX)
    throw new NiobeError(
      'TOO_LARGE',
      `a section of ${content.length} bytes for partition ${partition} exceeds ${SECTION_BYTES_MAX}`,
      {
        maxBytes: SECTION_BYTES_MAX,
      },
    );
}
