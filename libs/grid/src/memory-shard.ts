import { cellIdOf, compilePredicate, readClauses } from '@niobe/cells';
import type { CompiledSchema, Predicate, SchemaTable } from '@niobe/cells';
import { ByteReader, isNiobeError, NiobeError, type Clock } from '@niobe/kernel';
import type { Bus, BusMessage, Subscription } from './bus.ts';
import { malformedFrame, refusalOf } from './frames/failure.ts';
import { GetReplyBuilder, GetRequest } from './frames/get.ts';
import { FrameKind } from './frames/header.ts';
import { ScanReplyBuilder, ScanRequest } from './frames/scan.ts';
import { WriteReplyBuilder } from './frames/write-reply.ts';
import { OpKind, WriteRequest } from './frames/write-request.ts';
import { shardSubject } from './subjects.ts';

/**
 * The twin of a storage shard for tests of whoever talks to one: the same frames and the same answers, over a `Map` instead of a log,
 * without backups. Every answer is as if it were durable.
 */

interface StoredCell {
  readonly id: number;
  readonly schemaId: number;
  readonly key: Uint8Array;
  readonly body: Uint8Array;
  readonly expiresS: number;
  readonly epoch: number;
  readonly seq: number;
}

/** What a {@link MemoryShard} needs. */
export interface MemoryShardOptions {
  readonly bus: Bus;
  readonly deployment: string;
  readonly name: string;
  readonly schemas: SchemaTable;
  readonly clock: Clock;
}

const decoder = new TextDecoder();

/** A shard in this process. */
export class MemoryShard {
  readonly #schemas: SchemaTable;
  readonly #clock: Clock;
  readonly #partitions = new Map<number, MemoryPartition>();
  readonly #subscription: Subscription;
  readonly #gets: GetReplyBuilder = new GetReplyBuilder();
  readonly #writes: WriteReplyBuilder = new WriteReplyBuilder();
  readonly #scans: ScanReplyBuilder = new ScanReplyBuilder();

  constructor(options: MemoryShardOptions) {
    this.#schemas = options.schemas;
    this.#clock = options.clock;
    const subject = shardSubject(options.deployment, options.name);
    this.#subscription = options.bus.subscribe(subject, (message) => this.#take(message));
  }

  /** Serves a partition from now on, empty or as it was left. */
  serve(partition: number, epoch: number): void {
    const known = this.#partitions.get(partition) ?? new MemoryPartition(partition);
    known.epoch = epoch;
    this.#partitions.set(partition, known);
  }

  /** Answers `NOT_PRIMARY` for a partition from now on; returns what it held, for {@link adopt}. */
  yield(partition: number): MemoryPartition | undefined {
    const known = this.#partitions.get(partition);
    this.#partitions.delete(partition);
    return known;
  }

  /** Serves a partition with the cells that another shard held. */
  adopt(partition: number, epoch: number, held: MemoryPartition): void {
    held.epoch = epoch;
    this.#partitions.set(partition, held);
  }

  /** Offset of a source in a partition; 0 where it never wrote. */
  applied(partition: number, source: string): number {
    return this.#partitions.get(partition)?.sources.get(source) ?? 0;
  }

  close(): void {
    this.#subscription.close();
  }

  #take(message: BusMessage): void {
    try {
      message.reply(this.#answer(message.payload));
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      message.reply(malformedFrame(message.payload, error));
    }
  }

  #answer(payload: Uint8Array): Uint8Array {
    switch (payload[1]) {
      case FrameKind.GET:
        return this.#get(new GetRequest(payload));
      case FrameKind.WRITE:
        return this.#write(new WriteRequest(payload));
      case FrameKind.SCAN:
        return this.#scan(new ScanRequest(payload));
      default:
        throw new NiobeError('MALFORMED', 'a frame of unknown kind');
    }
  }

  #served(partition: number, epoch: number): MemoryPartition {
    const found = this.#partitions.get(partition);
    if (found === undefined || (epoch !== 0 && epoch !== found.epoch))
      throw new NiobeError('NOT_PRIMARY', `partition ${partition} is not served here at epoch ${epoch}`);
    return found;
  }

  #schema(id: number): CompiledSchema {
    const schema = this.#schemas.get(id);
    if (schema === undefined) throw new NiobeError('NOT_READY', `schema ${id} is not known here yet`);
    return schema;
  }

  #get(request: GetRequest): Uint8Array {
    this.#gets.start(request);
    while (request.nextSection()) {
      try {
        const cells = this.#served(request.partition, request.epoch);
        this.#gets.beginSection(request.partition);
        while (request.nextKey()) this.#getKey(request, cells);
        this.#gets.endSection();
      } catch (error) {
        if (!isNiobeError(error)) throw error;
        this.#gets.refuse(request.partition, refusalOf(error));
      }
    }
    return this.#gets.finish();
  }

  #getKey(request: GetRequest, cells: MemoryPartition): void {
    const cell = cells.find(request.schemaId, request.bytes, request.keyAt, request.keyBytes, this.#nowS());
    if (this.#gets.full) this.#gets.later();
    else if (cell === undefined) this.#gets.absent();
    else this.#gets.found(cell.id, cell.epoch, cell.seq, cell.expiresS, cell.body, 0, cell.body.length);
  }

  #write(request: WriteRequest): Uint8Array {
    this.#writes.start(request);
    while (request.nextSection()) this.#writeSection(request);
    return this.#writes.finish();
  }

  #writeSection(request: WriteRequest): void {
    const present: number[] = [];
    const batch = {
      cells: new Map<string, StoredCell | null>(),
      sources: new Map<string, number>(),
      versions: [] as number[],
      op: -1,
    };
    try {
      const cells = this.#served(request.partition, request.epoch);
      this.#checkSources(request, cells, present, batch.sources);
      while (request.nextOp()) this.#apply(request, cells, batch);
      cells.commit(batch.cells, batch.sources, request.ops);
      this.#writes.beginCommitted(request.partition, cells.epoch, cells.seq, [...batch.sources.values()]);
      if (request.versionsWanted) for (const seq of batch.versions) this.#writes.version(cells.epoch, seq);
      this.#writes.endSection();
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      this.#writes.refuse(request.partition, refusalOf(error), batch.op, present);
    }
  }

  #checkSources(request: WriteRequest, cells: MemoryPartition, present: number[], next: Map<string, number>): void {
    let fits = true;
    while (request.nextSource()) {
      const name = decoder.decode(request.bytes.subarray(request.nameAt, request.nameAt + request.nameBytes));
      const applied = cells.sources.get(name) ?? 0;
      present.push(applied);
      next.set(name, request.to);
      fits &&= applied === request.from;
    }
    if (!fits)
      throw new NiobeError(
        'OFFSET_MISMATCH',
        `partition ${request.partition} is at other offsets: ${present.join(', ')}`,
      );
  }

  #apply(request: WriteRequest, cells: MemoryPartition, batch: Batch): void {
    batch.op += 1;
    if (request.kind === OpKind.LINK) throw new NiobeError('BAD_REQUEST', 'this twin of a shard keeps no adjacencies');
    const schema = this.#schema(request.schemaId);
    const key = request.bytes.slice(request.keyAt, request.bodyAt);
    schema.checkKey(key, 0, key.length);
    if (request.kind !== OpKind.DELETE) schema.check(request.bytes, request.bodyAt, request.bodyBytes);
    const name = nameOf(request.schemaId, key, 0, key.length);
    const old = batch.cells.has(name)
      ? batch.cells.get(name)!
      : (cells.find(request.schemaId, key, 0, key.length, this.#nowS()) ?? null);
    requireFitting(request, old);
    const seq = cells.nextSeq(batch.versions.length);
    batch.versions.push(seq);
    const version = { id: old?.id ?? cells.takeId(), epoch: cells.epoch, seq };
    batch.cells.set(name, request.kind === OpKind.DELETE ? null : written(request, schema, key, old, version));
  }

  #scan(request: ScanRequest): Uint8Array {
    const clauses = readClauses(new ByteReader(request.clauses));
    const predicate = compilePredicate(this.#schema(request.schemaId), clauses);
    this.#scans.start(request);
    while (request.nextSection()) {
      try {
        const cells = this.#served(request.partition, request.epoch);
        this.#scans.beginSection(request.partition);
        this.#scans.endSection(this.#scanRows(request, cells, predicate));
      } catch (error) {
        if (!isNiobeError(error)) throw error;
        this.#scans.refuse(request.partition, refusalOf(error));
      }
    }
    return this.#scans.finish();
  }

  /** Rows in the order in which keys were first written, which is what a walk over slots gives. */
  #scanRows(request: ScanRequest, cells: MemoryPartition, predicate: Predicate): number | null {
    for (let slot = request.cursor; slot < cells.slots.length; slot++) {
      if (this.#scans.length >= request.limitBytes) return slot;
      const cell = cells.slot(slot, this.#nowS());
      if (cell === undefined || cell.schemaId !== request.schemaId || !predicate(cell.body, 0, cell.body.length))
        continue;
      const bytes = new Uint8Array(cell.key.length + cell.body.length);
      bytes.set(cell.key);
      bytes.set(cell.body, cell.key.length);
      this.#scans.row(
        cell.id,
        cell.epoch,
        cell.seq,
        cell.expiresS,
        bytes,
        0,
        cell.key.length,
        cell.key.length,
        cell.body.length,
      );
    }
    return null;
  }

  #nowS(): number {
    return Math.floor(this.#clock.nowMs() / 1000);
  }
}

interface Batch {
  readonly cells: Map<string, StoredCell | null>;
  readonly versions: number[];
  op: number;
}

/** Cells and source offsets of one partition. */
export class MemoryPartition {
  epoch = 0;
  seq = 0;
  readonly sources: Map<string, number> = new Map<string, number>();
  /** Names in the order in which they were first written. */
  readonly slots: string[] = [];
  readonly #partition: number;
  readonly #cells = new Map<string, StoredCell | null>();
  #nextSlot = 0;

  constructor(partition: number) {
    this.#partition = partition;
  }

  /** An id that no cell has had. */
  takeId(): number {
    return cellIdOf(this.#partition, 0, this.#nextSlot++);
  }

  find(schemaId: number, bytes: Uint8Array, at: number, length: number, nowS: number): StoredCell | undefined {
    return living(this.#cells.get(nameOf(schemaId, bytes, at, length)), nowS);
  }

  slot(index: number, nowS: number): StoredCell | undefined {
    return living(this.#cells.get(this.slots[index]!), nowS);
  }

  nextSeq(ahead: number): number {
    return this.seq + 1 + ahead;
  }

  commit(cells: ReadonlyMap<string, StoredCell | null>, sources: ReadonlyMap<string, number>, ops: number): void {
    for (const [name, cell] of cells) {
      if (!this.#cells.has(name)) this.slots.push(name);
      this.#cells.set(name, cell);
    }
    this.seq += ops;
    for (const [name, offset] of sources) this.sources.set(name, offset);
  }
}

function living(cell: StoredCell | null | undefined, nowS: number): StoredCell | undefined {
  return cell == null || (cell.expiresS !== 0 && cell.expiresS <= nowS) ? undefined : cell;
}

function nameOf(schemaId: number, bytes: Uint8Array, at: number, length: number): string {
  return `${schemaId} ${Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1')}`;
}

function requireFitting(request: WriteRequest, old: StoredCell | null): void {
  if (request.kind === OpKind.PUT_IF_ABSENT && old !== null)
    throw new NiobeError('EXISTS', 'a cell with this key exists');
  const any = request.versionEpoch === 0 && request.versionSeq === 0;
  const same = old !== null && old.epoch === request.versionEpoch && old.seq === request.versionSeq;
  if (request.kind === OpKind.REPLACE && !same && (old === null || !any))
    throw new NiobeError('VERSION_MISMATCH', 'the cell has another version');
  if (request.kind === OpKind.DELETE && !same && !any)
    throw new NiobeError('VERSION_MISMATCH', 'the cell has another version');
}

function written(
  request: WriteRequest,
  schema: CompiledSchema,
  key: Uint8Array,
  old: StoredCell | null,
  version: { readonly id: number; readonly epoch: number; readonly seq: number },
): StoredCell {
  const { bytes, bodyAt, bodyBytes, expiresS, schemaId } = request;
  let body = bytes.slice(bodyAt, bodyAt + bodyBytes);
  if (request.kind === OpKind.MERGE && old !== null) {
    const merged = new Uint8Array(schema.mergedBytesMax(old.body.length, bodyBytes));
    body = merged.slice(0, schema.merge(old.body, 0, old.body.length, body, 0, bodyBytes, merged, 0));
  }
  return { ...version, schemaId, key, body, expiresS };
}
