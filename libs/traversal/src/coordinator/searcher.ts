import type { CompiledSchema, SchemaTable } from '@niobe/cells';
import type { Bus, GridClient, PartitionTable } from '@niobe/grid';
import {
  deferred,
  delay,
  isNiobeError,
  NiobeError,
  type Clock,
  type Counter,
  type ErrorCode,
  type Logger,
  type Meter,
  type Random,
} from '@niobe/kernel';
import type { SearchPlan } from '../frames/start.ts';
import { ATTEMPT_PAUSE_MS, ATTEMPT_PAUSE_MS_MAX, SEARCHES_MAX, SEARCHES_RETRY_MS } from '../limits.ts';
import type { Search, SearchAnswer } from '../search.ts';
import { mergeShares } from './merge-shares.ts';
import { SearchRun } from './search-run.ts';

/**
 * The asking side of searches: finds the start vertices by key, starts the search at all shards, and makes one answer of what they have.
 * What the shards find they tell each other, so that nothing but the answer comes by here.
 *
 * A search changes nothing, so one that a shard could not finish (it died, it was not ready, the table was old) is begun anew while
 * there is time.
 */

/** What a {@link Searcher} works with. */
export interface SearcherOptions {
  readonly bus: Bus;
  readonly deployment: string;
  readonly table: PartitionTable;
  readonly client: Pick<GridClient, 'get'>;
  /** The vertex schemas and those of the edge types, by id and name. */
  readonly schemas: SchemaTable;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** Runs searches over the shards of a grid. One per process. */
export class Searcher {
  readonly #options: SearcherOptions;
  readonly #retries: Counter;
  #running = 0;

  constructor(options: SearcherOptions) {
    this.#options = options;
    const { meter } = options;
    meter.gauge('open_searches', 'Searches under way.', () => this.#running);
    this.#retries = meter.counter('search_retries_total', 'Attempts at a search that a shard could not finish.');
  }

  /** Searches under way. */
  get running(): number {
    return this.#running;
  }

  /**
   * Runs a search. Throws `NOT_FOUND` for a start that does not exist, `BUDGET_EXCEEDED`, `TOO_MANY_SEARCHES`, `DEADLINE`, or, where
   * the time was up before a shard was back, what it failed with (`UNAVAILABLE`, `NOT_READY`, `SEARCH_LOST`, ...); all of it within
   * `search.budget.ms`.
   *
   * @param signal ends the search with `CLOSED`, and the shards forget it.
   */
  async search(search: Search, signal?: AbortSignal): Promise<SearchAnswer> {
    if (this.#running >= SEARCHES_MAX) {
      const details = { retryAfterMs: SEARCHES_RETRY_MS };
      throw new NiobeError('TOO_MANY_SEARCHES', `${SEARCHES_MAX} searches are under way`, details);
    }
    this.#running += 1;
    try {
      return await this.#within(search, signal);
    } finally {
      this.#running -= 1;
    }
  }

  /** Ends the search when its time is up or nobody wants it any more, whatever it waits for. */
  async #within(search: Search, signal?: AbortSignal): Promise<SearchAnswer> {
    const { clock } = this.#options;
    const { ms } = search.budget;
    const attempts = new Attempts(this.#options, search, clock.monotonicMs() + ms, this.#retries);
    const ended = deferred<never>();
    const timer = clock.after(ms, () => ended.reject(attempts.late()));
    const abort = (): void => ended.reject(new NiobeError('CLOSED', 'the search was cancelled'));
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([attempts.run(), ended.promise]);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
      attempts.end();
    }
  }
}

/** Attempts at one search, until one succeeds, fails for good, or nobody waits any more. */
class Attempts {
  readonly #options: SearcherOptions;
  readonly #search: Search;
  readonly #endMs: number;
  readonly #retries: Counter;
  #run: SearchRun | null = null;
  #lastError: NiobeError | null = null;
  #isOver = false;

  constructor(options: SearcherOptions, search: Search, endMs: number, retries: Counter) {
    this.#options = options;
    this.#search = search;
    this.#endMs = endMs;
    this.#retries = retries;
  }

  /** The error of a search whose time is up: what the last attempt failed with says more than that. */
  late(): NiobeError {
    const { ms } = this.#search.budget;
    return this.#lastError ?? new NiobeError('DEADLINE', `budget.ms: the search did not end within ${ms} ms`);
  }

  /** Nobody waits any more. */
  end(): void {
    this.#isOver = true;
    this.#run?.end();
  }

  async run(): Promise<SearchAnswer> {
    const { clock, random, logger } = this.#options;
    const starts = await this.#findStarts();
    for (let pauseMs = ATTEMPT_PAUSE_MS; ; pauseMs = Math.min(ATTEMPT_PAUSE_MS_MAX, pauseMs * 2)) {
      try {
        return await this.#attempt(starts);
      } catch (error) {
        if (!isNiobeError(error) || !PASSING.includes(error.code) || this.#isOver) throw error;
        this.#lastError = error;
      }
      this.#retries.add(1);
      logger.debug({ code: this.#lastError.code }, `a search is begun anew: ${this.#lastError.message}`);
      if (this.#lastError.code === 'NOT_PRIMARY') await this.#refresh();
      await delay(clock, pauseMs * (0.5 + random.next() / 2));
      if (this.#isOver) throw this.late();
    }
  }

  async #attempt(starts: readonly number[]): Promise<SearchAnswer> {
    const { bus, deployment, clock, schemas } = this.#options;
    const run = new SearchRun({ bus, deployment, clock, plan: this.#plan(starts), endMs: this.#endMs });
    this.#run = run;
    try {
      return mergeShares(this.#search, await run.run(), schemas);
    } finally {
      run.end();
    }
  }

  /** The ids of the start vertices, each once. */
  async #findStarts(): Promise<number[]> {
    const { client } = this.#options;
    const deadlineMs = this.#search.budget.ms;
    const { start } = this.#search;
    const found = start.map(({ schema, key }) => client.get(this.#schema(schema), key, { deadlineMs }));
    const cells = await Promise.all(found).catch((error: unknown) => {
      throw isNiobeError(error, 'DEADLINE') ? this.late() : error;
    });
    return [...new Set(cells.map((cell, i) => (cell === null ? notFound(i, start[i]!.schema) : cell.id)))];
  }

  #plan(starts: readonly number[]): SearchPlan {
    const { random, clock } = this.#options;
    const { hops, returns, isCounting, orderBy, limit, budget } = this.#search;
    return {
      task: random.u32() * TASK_COUNTS + random.below(TASK_COUNTS),
      leftMs: Math.max(0, Math.floor(this.#endMs - clock.monotonicMs())),
      wantsRows: returns === 'vertices',
      isCounting,
      orderBy,
      limit,
      budget,
      ...this.#shards(),
      hops: hops.map(({ edge, direction, repeat }) => ({
        schemaIds: edge.adjacencies(direction).map((name) => this.#schema(name).id),
        repeat,
      })),
      starts,
    };
  }

  /** Who serves which partition. Throws `NOT_READY` where nobody serves one. */
  #shards(): Pick<SearchPlan, 'shards' | 'owners' | 'epochs'> {
    const { table } = this.#options;
    const shards: string[] = [];
    const owners = new Uint16Array(table.partitions);
    const epochs = new Uint32Array(table.partitions);
    for (let partition = 0; partition < table.partitions; partition++) {
      const row = table.row(partition);
      if (row === null || row.phase !== 'ACTIVE')
        throw new NiobeError('NOT_READY', `partition ${partition} is not served at present`);
      const known = shards.indexOf(row.primary);
      owners[partition] = known < 0 ? shards.push(row.primary) - 1 : known;
      epochs[partition] = row.epoch;
    }
    return { shards, owners, epochs };
  }

  /** What cannot be read now is left to the watch. */
  async #refresh(): Promise<void> {
    const { table } = this.#options;
    await Promise.allSettled(Array.from({ length: table.partitions }, (_, partition) => table.refresh(partition)));
  }

  #schema(name: string): CompiledSchema {
    const schema = this.#options.schemas.byName(name);
    if (schema === undefined) throw new NiobeError('NOT_READY', `schema ${name} is not registered yet`);
    return schema;
  }
}

/** Another attempt may succeed. */
const PASSING: readonly ErrorCode[] = ['NOT_PRIMARY', 'NOT_READY', 'UNAVAILABLE', 'UNKNOWN', 'BUSY', 'SEARCH_LOST'];

/** Task ids are 52 random bits. */
const TASK_COUNTS: number = 2 ** 20;

function notFound(index: number, schema: string): never {
  const path = `start[${index}].key`;
  throw new NiobeError('NOT_FOUND', `${path}: there is no ${schema} with this key`, { path });
}
