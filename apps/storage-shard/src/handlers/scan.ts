import { BoundedQueue, ByteReader, isNiobeError, NiobeError, type Clock, type Counter } from '@niobe/kernel';
import { readClauses, type Clause, type Predicate, type SchemaTable } from '@niobe/cells';
import { failureFrame, refusalOf, ScanReplyBuilder, ScanRequest, type Refusal } from '@niobe/grid';
import { SCAN_END, type ScanPlan } from '@niobe/store';
import { AWAY_RETRY_MS, BUSY_RETRY_MS, SCAN_SLICE_MS, SCANS_MAX } from '../limits.ts';
import type { Seats, ServedPartition } from '../partitions/seats.ts';
import type { ArrivedRequest } from '../requests/request-desk.ts';
import { answerWhenDurable } from './answer-when-durable.ts';
import { remainingMs } from './deadline.ts';
import { presentPoint, type Durability, type DurablePoint } from './durability.ts';

/**
 * SCAN: pages of the cells of one schema.
 *
 * Scans wait in a queue of their own and are taken one at a time, in slices of a few milliseconds between other requests: writes go on
 * meanwhile, and the store's cursors bear that. A page ends at the asked number of bytes; sections it did not come to are answered
 * with their own cursor. Each partition is scanned by a plan of its own, which may use an index. The page is sent when the last commits that it saw are durable.
 */
export class ScanHandler {
  readonly #parts: ScanParts;
  readonly #queue = new BoundedQueue<ArrivedRequest>(SCANS_MAX);
  readonly #reply = new ScanReplyBuilder();
  #running: RunningScan | null = null;

  constructor(parts: ScanParts) {
    this.#parts = parts;
  }

  /** Takes a SCAN frame for later. Throws `BUSY`. */
  handle(request: ArrivedRequest): void {
    if (!this.#queue.push(request))
      throw new NiobeError('BUSY', 'too many scans wait', { retryAfterMs: BUSY_RETRY_MS });
  }

  /** Scans that wait or run. */
  get waiting(): number {
    return this.#queue.length + (this.#running === null ? 0 : 1);
  }

  /** One slice. True if more is to be done. */
  slice(): boolean {
    this.#running ??= this.#next();
    if (this.#running !== null && this.#advance(this.#running)) this.#running = null;
    return this.#running !== null || this.#queue.length > 0;
  }

  /** The next scan that can be begun; those that cannot are answered. */
  #next(): RunningScan | null {
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      try {
        return this.#begin(request);
      } catch (error) {
        if (!isNiobeError(error)) throw error;
        request.message.reply(failed(request, refusalOf(error)));
      }
    }
    return null;
  }

  #begin(request: ArrivedRequest): RunningScan {
    const frame = new ScanRequest(request.message.payload);
    remainingMs(this.#parts.clock, request, frame.header);
    const schema = this.#parts.schemas.get(frame.schemaId);
    if (schema === undefined) {
      const details = { retryAfterMs: AWAY_RETRY_MS };
      throw new NiobeError('NOT_READY', `schema ${frame.schemaId} is not known to this shard yet`, details);
    }
    const clauses = clausesOf(frame.clauses);
    const predicate = clauses.length === 0 ? null : schema.compilePredicate(clauses);
    const hasSection = frame.nextSection();
    this.#reply.start(frame);
    return {
      request,
      frame,
      clauses,
      predicate,
      plan: null,
      shown: [],
      rows: 0,
      cursor: frame.cursor,
      hasSection,
      isBegun: false,
    };
  }

  /** Works until the slice or the scan is over; true if it was answered. */
  #advance(scan: RunningScan): boolean {
    const { clock } = this.#parts;
    const endMs = clock.monotonicMs() + SCAN_SLICE_MS;
    while (scan.hasSection) {
      if (this.#section(scan, endMs - clock.monotonicMs())) {
        scan.hasSection = scan.frame.nextSection();
        scan.cursor = scan.frame.cursor;
        scan.plan = null;
        scan.isBegun = false;
      }
      if (clock.monotonicMs() >= endMs) break;
    }
    if (scan.hasSection) return false;
    this.#answer(scan);
    return true;
  }

  /** Goes on with the present section; true if it is answered. */
  #section(scan: RunningScan, budgetMs: number): boolean {
    const { frame } = scan;
    try {
      const served = this.#parts.seats.serve(frame.partition, frame.epoch);
      if (!scan.isBegun) this.#reply.beginSection(frame.partition);
      scan.isBegun = true;
      const roomBytes = frame.limitBytes - this.#reply.length;
      // A limit that is too small for anything still gets a row, so that a scan comes to its end.
      if (roomBytes <= 0 && scan.rows > 0) return this.#endSection(scan.cursor);
      scan.cursor = this.#rows(scan, served, Math.max(1, roomBytes), budgetMs);
      if (scan.cursor !== SCAN_END && this.#reply.length < frame.limitBytes) return false;
      scan.shown.push(presentPoint(served));
      return this.#endSection(scan.cursor);
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      if (scan.isBegun) this.#reply.abandonSection(frame.partition, refusalOf(error));
      else this.#reply.refuse(frame.partition, refusalOf(error));
      return true;
    }
  }

  #rows(scan: RunningScan, { store }: ServedPartition, limitBytes: number, budgetMs: number): number {
    const before = scan.rows;
    const { frame, predicate, cursor } = scan;
    scan.plan ??= store.indexes.plan(frame.schemaId, scan.clauses);
    const next = store.indexes.scan(scan.plan, predicate, cursor, limitBytes, Math.max(0, budgetMs), (slot) => {
      scan.rows += 1;
      this.#reply.row(
        store.idOf(slot),
        store.versionEpoch(slot),
        store.versionSeq(slot),
        store.expiresS(slot),
        store.bytes,
        store.keyStart(slot),
        store.keyBytes(slot),
        store.bodyStart(slot),
        store.bodyBytes(slot),
      );
    });
    this.#parts.operations.add(scan.rows - before);
    return next;
  }

  #endSection(cursor: number): true {
    this.#reply.endSection(cursor === SCAN_END ? null : cursor);
    return true;
  }

  #answer({ request, frame, shown }: RunningScan): void {
    const { clock, durability } = this.#parts;
    const leftMs = frame.header.deadlineMs - (clock.monotonicMs() - request.arrivedMs);
    answerWhenDurable(request.message, this.#reply.finish(), shown, { durability, leftMs }, (refusal) =>
      failed(request, refusal),
    );
  }
}

/** What a {@link ScanHandler} works with. */
export interface ScanParts {
  readonly seats: Seats;
  readonly schemas: SchemaTable;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly operations: Counter;
}

interface RunningScan {
  readonly request: ArrivedRequest;
  readonly frame: ScanRequest;
  readonly clauses: readonly Clause[];
  readonly predicate: Predicate | null;
  /** How the present partition is scanned, once it was begun. */
  plan: ScanPlan | null;
  readonly shown: DurablePoint[];
  /** Rows so far. */
  rows: number;
  /** Where the present section goes on. */
  cursor: number;
  hasSection: boolean;
  isBegun: boolean;
}

function clausesOf(bytes: Uint8Array): Clause[] {
  if (bytes.length === 0) return [];
  const reader = new ByteReader(bytes);
  const clauses = readClauses(reader);
  reader.end();
  return clauses;
}

function failed({ message }: ArrivedRequest, refusal: Refusal): Uint8Array {
  const { payload } = message;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const hasId = payload.length >= 10;
  return failureFrame(hasId ? view.getUint32(2, true) : 0, hasId ? view.getUint32(6, true) : 0, refusal);
}
