import { assert, isNiobeError, NiobeError, type Clock, type Counter, type Histogram } from '@niobe/kernel';
import type { CompiledSchema } from '@niobe/cells';
import { isAdjacency } from '@niobe/graph';
import {
  Ack,
  failureFrame,
  FIRST_SCHEMA_ID,
  OpKind,
  refusalOf,
  WriteReplyBuilder,
  WriteRequest,
  type Refusal,
} from '@niobe/grid';
import type { PartitionStore, WriteStatus } from '@niobe/store';
import type { WritableSchemas } from '../bootstrap/writable-schemas.ts';
import { AWAY_RETRY_MS, BUSY_RETRY_MS, UNANSWERED_MAX } from '../limits.ts';
import type { Seats, ServedPartition } from '../partitions/seats.ts';
import type { ArrivedRequest } from '../requests/request-desk.ts';
import type { RequestMemory } from '../requests/request-memory.ts';
import type { AppliedSources } from './applied-sources.ts';
import { durableWaitMs, remainingMs } from './deadline.ts';
import { isDurable, presentPoint, type Durability, type DurablePoint } from './durability.ts';
import type { Links } from './link.ts';

/**
 * WRITE: atomic batches, one a section.
 *
 * 1. A request that was executed before gets its first answer; a stray gets `UNKNOWN`; one whose asker gave up gets `DEADLINE`.
 * 2. Each section is one batch of the store and one commit: it is taken whole or refused, whatever becomes of the others. Cells come
 *    from the network: the store checks keys and bodies, the handler that keys belong to the partition and that their schema is safe.
 *    What a link adds is decided by `@niobe/graph`.
 * 3. The answer goes out when everything it tells is durable: with `ack = memory` commits are told at once, but a refusal that shows
 *    the state of a cell or a source waits like a read.
 *
 * Nothing is allocated per operation: they are walked in the frame.
 */
export class WriteHandler {
  readonly #parts: WriteParts;
  readonly #reply = new WriteReplyBuilder();
  #unanswered = 0;

  constructor(parts: WriteParts) {
    this.#parts = parts;
  }

  /** Requests that were executed and wait for the backup servers. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Executes a WRITE frame. Throws `MALFORMED` or `DEADLINE` for the whole. */
  handle(request: ArrivedRequest): void {
    const { memory, clock } = this.#parts;
    const frame = new WriteRequest(request.message.payload);
    const { client, serial } = frame.header;
    const known = memory.recall(client, serial, request.message);
    if (known === 'repeated') return;
    if (known === 'stray')
      throw new NiobeError('UNKNOWN', 'this request is so old that nobody knows whether it was done');
    const leftMs = remainingMs(clock, request, frame.header);
    if (this.#unanswered >= UNANSWERED_MAX) throw busy('too many writes wait for the backup servers');
    if (this.#parts.durability.isOverloaded) throw busy('the backup servers are too far behind');
    const outcomes: Outcome[] = [];
    while (frame.nextSection()) outcomes.push(this.#section(frame));
    if (outcomes.some((outcome) => outcome.isCommitted)) memory.executed(client, serial);
    this.#answer(request, frame, outcomes, leftMs);
  }

  #section(frame: WriteRequest): Outcome {
    const outcome = newOutcome(frame);
    try {
      const served = this.#parts.seats.serve(frame.partition, frame.epoch);
      outcome.served = served;
      this.#batch(frame, served, outcome);
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      this.#refuse(outcome, error);
    }
    return outcome;
  }

  #refuse(outcome: Outcome, error: NiobeError): void {
    if (error.code === 'NOT_READY') void this.#parts.schemas.tell();
    outcome.refusal = refusalOf(error);
    if (outcome.served !== null && SHOWS_STATE.has(error.code)) outcome.waitsFor = presentPoint(outcome.served);
  }

  /** One commit; on any error the store is as it was. */
  #batch(frame: WriteRequest, served: ServedPartition, outcome: Outcome): void {
    const { store } = served;
    const { links } = this.#parts;
    const startMs = this.#parts.clock.monotonicMs();
    store.begin();
    links.begin();
    try {
      this.#sources(frame, store, outcome);
      this.#operations(frame, store, outcome);
      const { epoch, seq } = store.commit();
      outcome.epoch = epoch;
      outcome.seq = seq;
    } catch (error) {
      store.rollback();
      throw error;
    }
    links.committed(store);
    outcome.isCommitted = true;
    outcome.offsets = outcome.goals;
    outcome.opIndex = -1;
    if (frame.ack === Ack.DURABLE) outcome.waitsFor = { partition: served.partition, seq: outcome.seq };
    this.#parts.operations.add(frame.ops);
    this.#parts.commitSeconds.observe((this.#parts.clock.monotonicMs() - startMs) / 1000);
  }

  /** Checks that each source goes on where it ended, and moves it. `OFFSET_MISMATCH` once all present offsets are known. */
  #sources(frame: WriteRequest, store: PartitionStore, outcome: Outcome): void {
    const { sources } = this.#parts;
    let isGap = false;
    while (frame.nextSource()) {
      const applied = sources.appliedOf(frame, store);
      outcome.offsets.push(applied);
      outcome.goals.push(frame.to);
      if (applied !== frame.from) isGap = true;
      else if (!isGap) sources.advance(frame, store);
    }
    if (isGap)
      throw new NiobeError(
        'OFFSET_MISMATCH',
        `partition ${frame.partition} has other offsets than the batch begins at`,
      );
  }

  #operations(frame: WriteRequest, store: PartitionStore, outcome: Outcome): void {
    const { versions } = outcome;
    while (frame.nextOp()) {
      outcome.opIndex += 1;
      const schema = this.#writable(frame);
      this.#checkKey(frame, schema);
      const isLink = frame.kind === OpKind.LINK;
      if (isLink) this.#link(frame, schema, store);
      else applyOperation(frame, store);
      if (versions === null) continue;
      const slot = isLink ? -1 : store.lastSlot;
      versions[outcome.opIndex * 2] = slot < 0 ? 0 : store.versionEpoch(slot);
      versions[outcome.opIndex * 2 + 1] = slot < 0 ? 0 : store.versionSeq(slot);
    }
  }

  /** The schema of the present operation, which must be one that backup servers keep. */
  #writable({ schemaId }: WriteRequest): CompiledSchema {
    const schema = this.#parts.schemas.get(schemaId);
    if (schema !== undefined) return schema;
    const details = { retryAfterMs: AWAY_RETRY_MS };
    throw new NiobeError('NOT_READY', `schema ${schemaId} is not known to this shard and its backups yet`, details);
  }

  /** The key must be one that belongs here; system cells live where their writer says. Adjacencies are written by links alone. */
  #checkKey(frame: WriteRequest, schema: CompiledSchema): void {
    if (isAdjacency(schema) !== (frame.kind === OpKind.LINK)) throw unlinkable(schema);
    if (frame.schemaId < FIRST_SCHEMA_ID) return;
    const belongs = schema.partitionOfKey(frame.bytes, frame.keyAt, frame.keyBytes, this.#parts.partitions);
    if (belongs === frame.partition) return;
    throw new NiobeError(
      'BAD_REQUEST',
      `a key of ${schema.name} belongs to partition ${belongs}, not to ${frame.partition}`,
    );
  }

  #link(frame: WriteRequest, schema: CompiledSchema, store: PartitionStore): void {
    const ownId = schema.decodeKey(frame.bytes, frame.keyAt, frame.keyBytes) as number;
    this.#parts.links.apply(frame, ownId, store);
  }

  #answer(request: ArrivedRequest, frame: WriteRequest, outcomes: readonly Outcome[], leftMs: number): void {
    const { durability } = this.#parts;
    const waiting = outcomes.filter(({ waitsFor }) => waitsFor !== null && !isDurable(durability, waitsFor));
    if (waiting.length === 0) this.#send(request, frame, outcomes);
    else void this.#answerLater(request, frame, outcomes, waiting, durableWaitMs(leftMs));
  }

  async #answerLater(
    request: ArrivedRequest,
    frame: WriteRequest,
    outcomes: readonly Outcome[],
    waiting: readonly Outcome[],
    waitMs: number,
  ): Promise<void> {
    const { clock, durableWaitSeconds } = this.#parts;
    const startMs = clock.monotonicMs();
    this.#unanswered += 1;
    const failures = await this.#failedWaits(waiting, waitMs);
    this.#unanswered -= 1;
    durableWaitSeconds.observe((clock.monotonicMs() - startMs) / 1000);
    for (const outcome of waiting) {
      const failure = failures.get(outcome.partition);
      if (failure !== undefined && !isDurable(this.#parts.durability, outcome.waitsFor!)) outcome.refusal = failure;
    }
    this.#send(request, frame, outcomes);
  }

  /** Waits once a partition, for the last of its commits; what became of the waits that failed. */
  async #failedWaits(waiting: readonly Outcome[], waitMs: number): Promise<Map<number, Refusal>> {
    const goals = new Map<number, number>();
    for (const { partition, waitsFor } of waiting)
      goals.set(partition, Math.max(goals.get(partition) ?? 0, waitsFor!.seq));
    const failures = new Map<number, Refusal>();
    const wait = async (partition: number, seq: number): Promise<void> => {
      try {
        await this.#parts.durability.whenDurable(partition, seq, waitMs);
      } catch (error) {
        assert(isNiobeError(error), 'a wait ends with an operating error');
        failures.set(partition, refusalOf(error));
      }
    };
    await Promise.all(Array.from(goals, ([partition, seq]) => wait(partition, seq)));
    return failures;
  }

  #send(request: ArrivedRequest, frame: WriteRequest, outcomes: readonly Outcome[]): void {
    const { client, serial } = frame.header;
    const answer = this.#encode(frame, outcomes);
    this.#parts.memory.answered(client, serial, answer);
    request.message.reply(answer);
  }

  #encode(frame: WriteRequest, outcomes: readonly Outcome[]): Uint8Array {
    const reply = this.#reply;
    try {
      reply.start(frame);
      for (const outcome of outcomes) writeOutcome(reply, outcome);
      return reply.finish();
    } catch (error) {
      if (!isNiobeError(error, 'TOO_LARGE')) throw error;
      const tooMany = new NiobeError('UNKNOWN', 'the answer is too long for a frame: ask for fewer versions at once');
      return failureFrame(frame.header.client, frame.header.serial, refusalOf(tooMany));
    }
  }
}

/** What a {@link WriteHandler} works with. */
export interface WriteParts {
  readonly seats: Seats;
  readonly partitions: number;
  readonly schemas: WritableSchemas;
  readonly sources: AppliedSources;
  readonly links: Links;
  readonly memory: RequestMemory;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly operations: Counter;
  readonly commitSeconds: Histogram;
  readonly durableWaitSeconds: Histogram;
}

/** Refusals that tell what is stored, so that they wait until a crash cannot take it back. */
const SHOWS_STATE: ReadonlySet<string> = new Set([
  'OFFSET_MISMATCH',
  'EXISTS',
  'VERSION_MISMATCH',
  'NOT_FOUND',
  'OVERFLOW',
]);

/** What became of a section. */
interface Outcome {
  readonly partition: number;
  served: ServedPartition | null;
  refusal: Refusal | null;
  isCommitted: boolean;
  epoch: number;
  seq: number;
  /** Operation at fault, -1 = none. */
  opIndex: number;
  /** Present offsets of its sources. */
  offsets: number[];
  /** Their offsets once it is committed. */
  readonly goals: number[];
  /** Epoch and seq of each operation's cell, where wanted. */
  readonly versions: Float64Array | null;
  waitsFor: DurablePoint | null;
}

function newOutcome(frame: WriteRequest): Outcome {
  return {
    partition: frame.partition,
    served: null,
    refusal: null,
    isCommitted: false,
    epoch: 0,
    seq: 0,
    opIndex: -1,
    offsets: [],
    goals: [],
    versions: frame.versionsWanted ? new Float64Array(frame.ops * 2) : null,
    waitsFor: null,
  };
}

function writeOutcome(reply: WriteReplyBuilder, outcome: Outcome): void {
  const { partition, refusal, versions } = outcome;
  if (refusal !== null) return reply.refuse(partition, refusal, outcome.opIndex, outcome.offsets);
  reply.beginCommitted(partition, outcome.epoch, outcome.seq, outcome.offsets);
  for (let at = 0; versions !== null && at < versions.length; at += 2) reply.version(versions[at]!, versions[at + 1]!);
  reply.endSection();
}

/** Applies the frame's present operation to the open batch. */
function applyOperation(op: WriteRequest, store: PartitionStore): WriteStatus {
  const { bytes, schemaId, keyAt, keyBytes, bodyAt, bodyBytes, expiresS } = op;
  switch (op.kind) {
    case OpKind.PUT:
      return store.put(schemaId, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
    case OpKind.PUT_IF_ABSENT:
      return store.putIfAbsent(schemaId, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
    case OpKind.REPLACE:
      return store.replace(
        schemaId,
        bytes,
        keyAt,
        keyBytes,
        bodyAt,
        bodyBytes,
        expiresS,
        op.versionEpoch,
        op.versionSeq,
      );
    case OpKind.DELETE:
      return store.delete(schemaId, bytes, keyAt, keyBytes, op.versionEpoch, op.versionSeq);
    default:
      return store.merge(schemaId, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
  }
}

function unlinkable(schema: CompiledSchema): NiobeError {
  const why = isAdjacency(schema) ? 'only links write its cells' : 'it is no adjacency, which a link could change';
  return new NiobeError('BAD_REQUEST', `schema ${schema.name}: ${why}`);
}

function busy(why: string): NiobeError {
  return new NiobeError('BUSY', why, { retryAfterMs: BUSY_RETRY_MS });
}
