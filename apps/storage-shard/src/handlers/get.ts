import { isNiobeError, NiobeError, type Clock, type Counter } from '@niobe/kernel';
import { failureFrame, GetReplyBuilder, GetRequest, refusalOf } from '@niobe/grid';
import { AWAY_RETRY_MS } from '../limits.ts';
import type { Seats, ServedPartition } from '../partitions/seats.ts';
import type { ArrivedRequest } from '../requests/request-desk.ts';
import { answerWhenDurable } from './answer-when-durable.ts';
import { remainingMs } from './deadline.ts';
import type { Durability, DurablePoint } from './durability.ts';

/**
 * GET: many keys in one frame, answered in one frame. The answer waits until what it shows is durable: the newest version among the
 * cells found, or the last commit where a cell is absent, because that commit may have deleted it.
 */
export class GetHandler {
  readonly #parts: GetParts;
  readonly #reply = new GetReplyBuilder();
  /** Of the present section: seq that its answer depends on. */
  #shownSeq = 0;

  constructor(parts: GetParts) {
    this.#parts = parts;
  }

  /** Executes a GET frame. Throws `MALFORMED` or `DEADLINE` for the whole. */
  handle(request: ArrivedRequest): void {
    const frame = new GetRequest(request.message.payload);
    const { client, serial } = frame.header;
    const leftMs = remainingMs(this.#parts.clock, request, frame.header);
    const shown: DurablePoint[] = [];
    this.#reply.start(frame);
    while (frame.nextSection()) this.#section(frame, shown);
    const { durability } = this.#parts;
    answerWhenDurable(request.message, this.#reply.finish(), shown, { durability, leftMs }, (refusal) =>
      failureFrame(client, serial, refusal),
    );
  }

  #section(frame: GetRequest, shown: DurablePoint[]): void {
    const { partition } = frame;
    let isBegun = false;
    try {
      const served = this.#parts.seats.serve(partition, frame.epoch);
      this.#reply.beginSection(partition);
      isBegun = true;
      this.#cells(frame, served);
      this.#reply.endSection();
      shown.push({ partition, seq: this.#shownSeq });
      this.#parts.operations.add(frame.keys);
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      const refusal = refusalOf(waitForSchema(error));
      if (isBegun) this.#reply.abandonSection(partition, refusal);
      else this.#reply.refuse(partition, refusal);
    }
  }

  #cells(frame: GetRequest, { store }: ServedPartition): void {
    const reply = this.#reply;
    this.#shownSeq = 0;
    while (frame.nextKey()) {
      if (reply.full) {
        reply.later();
        continue;
      }
      const slot = store.find(frame.schemaId, frame.bytes, frame.keyAt, frame.keyBytes);
      if (slot < 0) {
        reply.absent();
        this.#shownSeq = store.lastCommit().seq;
      } else {
        const seq = store.versionSeq(slot);
        if (seq > this.#shownSeq) this.#shownSeq = seq;
        reply.found(
          store.idOf(slot),
          store.versionEpoch(slot),
          seq,
          store.expiresS(slot),
          store.bytes,
          store.bodyStart(slot),
          store.bodyBytes(slot),
        );
      }
    }
  }
}

/** What a {@link GetHandler} works with. */
export interface GetParts {
  readonly seats: Seats;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly operations: Counter;
}

/** A schema that is not known yet comes with the next word of the catalogue. */
function waitForSchema(error: NiobeError): NiobeError {
  if (error.code !== 'NOT_READY') return error;
  return new NiobeError(error.code, error.message, { retryAfterMs: AWAY_RETRY_MS });
}
