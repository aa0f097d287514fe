import type { CellRecord, CompiledSchema } from '@niobe/cells';
import { isNiobeError, NiobeError } from '@niobe/kernel';
import { errorOf } from '../frames/failure.ts';
import { ScanReply, scanFrame, type ScanPosition, type ScanWish } from '../frames/scan.ts';
import type { Version } from './cell-batch.ts';
import { Backoff, isWorthRetry, notServed } from './retry-policy.ts';
import type { ShardLink } from './shard-link.ts';
import type { ShardRouter } from './shard-router.ts';

/**
 * One scan over partitions: rounds of one frame to each shard that still has rows, pages handed out as they came. A lost answer is
 * asked for again from the same cursor; so every cell that exists throughout is given exactly once.
 */

/** Rows of one partition: `while (page.next())`, then read the present row. Valid until the next page is asked for. */
export class ScanPage {
  readonly #reply: ScanReply;
  readonly #schema: CompiledSchema;

  constructor(reply: ScanReply, schema: CompiledSchema) {
    this.#reply = reply;
    this.#schema = schema;
  }

  get partition(): number {
    return this.#reply.partition;
  }

  /** Rows of this page. */
  get rows(): number {
    return this.#reply.rows;
  }

  /** Goes to the next row. Throws what the schema says of a body that is none. */
  next(): boolean {
    if (!this.#reply.nextRow()) return false;
    this.#schema.check(this.bytes, this.bodyAt, this.bodyBytes);
    return true;
  }

  /** The bytes that hold key and body of the present row. */
  get bytes(): Uint8Array {
    return this.#reply.bytes;
  }

  get keyAt(): number {
    return this.#reply.keyAt;
  }

  get keyBytes(): number {
    return this.#reply.keyBytes;
  }

  get bodyAt(): number {
    return this.#reply.bodyAt;
  }

  get bodyBytes(): number {
    return this.#reply.bodyBytes;
  }

  /** The present row's cell id. */
  get id(): number {
    return this.#reply.id;
  }

  key(): string | number {
    return this.#schema.decodeKey(this.bytes, this.keyAt, this.keyBytes);
  }

  record(): CellRecord {
    return this.#schema.decode(this.bytes, this.bodyAt, this.bodyBytes);
  }

  version(): Version {
    return { epoch: this.#reply.epoch, seq: this.#reply.seq };
  }
}

interface Answer {
  readonly positions: readonly ScanPosition[];
  readonly reply: ScanReply | NiobeError;
}

/** What a scan needs to know. */
export interface ScanRunOptions {
  readonly schema: CompiledSchema;
  readonly wish: ScanWish;
  readonly partitions: readonly number[];
  /** How long one round may take, with its repetitions, in milliseconds. */
  readonly roundMs: number;
}

/** Yields the pages of a scan. Throws the first error that no repetition cures. */
export async function* runScan(
  router: ShardRouter,
  options: ScanRunOptions,
): AsyncGenerator<ScanPage, void, undefined> {
  const run = new ScanRun(router, options);
  while (run.unfinished > 0) yield* run.round();
}

class ScanRun {
  readonly #router: ShardRouter;
  readonly #options: ScanRunOptions;
  /** Cursor of each partition that is not finished. */
  readonly #cursors: Map<number, number>;
  #backoff: Backoff;
  #endMs = 0;
  #trouble: NiobeError | null = null;
  #wrongPrimaries = new Set<number>();

  constructor(router: ShardRouter, options: ScanRunOptions) {
    this.#router = router;
    this.#options = options;
    this.#cursors = new Map(options.partitions.map((partition) => [partition, 0]));
    this.#backoff = this.#begin();
  }

  get unfinished(): number {
    return this.#cursors.size;
  }

  async *round(): AsyncGenerator<ScanPage, void, undefined> {
    this.#trouble = null;
    this.#wrongPrimaries.clear();
    const asked = [...this.#group()].map(([link, positions]) => this.#ask(link, positions));
    let progressed = false;
    for (const answer of await Promise.all(asked)) {
      for (const page of this.#pages(answer)) {
        progressed = true;
        yield page;
      }
    }
    if (this.#trouble !== null) await this.#recover(this.#trouble, progressed);
    else this.#backoff = this.#begin();
  }

  #begin(): Backoff {
    this.#endMs = this.#router.clock.monotonicMs() + this.#options.roundMs;
    return new Backoff(this.#router.clock, this.#router.random, this.#endMs);
  }

  async #recover(trouble: NiobeError, progressed: boolean): Promise<void> {
    this.#router.retries.add(1);
    if (this.#wrongPrimaries.size > 0) await this.#router.refresh(this.#wrongPrimaries);
    if (progressed) this.#backoff = this.#begin();
    if (!(await this.#backoff.pause(trouble.details.retryAfterMs ?? 0))) throw trouble;
  }

  #group(): Map<ShardLink, ScanPosition[]> {
    const groups = new Map<ShardLink, ScanPosition[]>();
    for (const [partition, cursor] of this.#cursors) {
      const route = this.#router.route(partition);
      if (route === null) {
        this.#trouble = notServed(partition);
        continue;
      }
      const positions = groups.get(route.link) ?? [];
      groups.set(route.link, positions);
      positions.push({ partition, epoch: route.epoch, cursor });
    }
    return groups;
  }

  async #ask(link: ShardLink, positions: readonly ScanPosition[]): Promise<Answer> {
    this.#router.requests.add(1);
    try {
      const frame = scanFrame(this.#router.client, this.#options.wish, positions);
      return { positions, reply: new ScanReply(await link.send(frame, this.#endMs, false)) };
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      return { positions, reply: error };
    }
  }

  /** The pages of one answer; a partition's cursor moves on when its page is handed out. */
  *#pages({ positions, reply }: Answer): Generator<ScanPage, void, undefined> {
    if (reply instanceof NiobeError) {
      this.#refused(reply, null);
      return;
    }
    if (reply.sections !== positions.length) throw unfitting();
    for (const position of positions) {
      reply.nextSection();
      if (reply.partition !== position.partition) throw unfitting();
      if (reply.refusal !== null) {
        this.#refused(errorOf(reply.refusal), position.partition);
        continue;
      }
      if (reply.done) this.#cursors.delete(position.partition);
      else this.#cursors.set(position.partition, reply.nextCursor);
      if (reply.rows > 0) yield new ScanPage(reply, this.#options.schema);
    }
  }

  #refused(error: NiobeError, partition: number | null): void {
    if (!isWorthRetry(error.code, true)) throw error;
    this.#trouble = error;
    if (error.code === 'NOT_PRIMARY' && partition !== null) this.#wrongPrimaries.add(partition);
  }
}

function unfitting(): NiobeError {
  return new NiobeError('MALFORMED', 'a reply does not fit the partitions that were scanned');
}
