import type { Bus, BusMessage, Subscription } from '@niobe/grid';
import {
  ByteReader,
  every,
  isNiobeError,
  NiobeError,
  type Clock,
  type Logger,
  type Meter,
  type Timer,
} from '@niobe/kernel';
import { readCollect, runningReply, shareReply } from '../frames/collect.ts';
import { readPart } from '../frames/frontier.ts';
import { beginReply, readHeader, refusalReply, TraverseKind, type TraverseKindCode } from '../frames/header.ts';
import { SectionReader, SectionWriter } from '../frames/slot-sections.ts';
import { readStart, type SearchPlan } from '../frames/start.ts';
import { IDLE_MS, PAGE_BYTES, SEARCHES_MAX, SEARCHES_RETRY_MS, SLICE_MS, SWEEP_MS } from '../limits.ts';
import { traverseSubject } from '../subject.ts';
import { EndedTasks } from './ended-tasks.ts';
import { ReaderPool } from './reader-pool.ts';
import { SearchTask } from './search-task.ts';
import type { SearchedCells } from './searched-cells.ts';

/**
 * The part of a shard that takes part in searches: a table of tasks, at most {@link SEARCHES_MAX}.
 *
 * Messages are only noted when they arrive; the work is done in slices that the shard gives between other requests. A task is freed when
 * its coordinator ends it, when it fails, when its deadline passes, and when nobody sent anything about it for {@link IDLE_MS}.
 */

/** What a {@link TraversalEngine} works with. */
export interface TraversalEngineOptions {
  readonly bus: Bus;
  readonly deployment: string;
  /** Of this shard. */
  readonly name: string;
  readonly cells: SearchedCells;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Asks for a slice soon. */
  readonly wake: () => void;
}

interface Entry {
  readonly task: SearchTask;
  readonly deadline: Timer;
  /** Who waits for the end. */
  waiting: Waiting | null;
}

interface Waiting {
  readonly message: BusMessage;
  readonly fromRow: number;
  readonly timer: Timer;
}

/** See the head of this file. */
export class TraversalEngine {
  readonly #options: TraversalEngineOptions;
  readonly #entries = new Map<number, Entry>();
  readonly #ended = new EndedTasks();
  readonly #readers = new ReaderPool();
  readonly #sections = { reader: new SectionReader(), writer: new SectionWriter() };
  /**
   * Parts that were taken and are acknowledged in the next slice: then the acknowledgement and what this shard has to tell leave in one
   * write. As many as the peers may have in flight.
   */
  readonly #taken: BusMessage[] = [];
  #subscription: Subscription | null = null;
  #sweeper: Timer | null = null;

  constructor(options: TraversalEngineOptions) {
    this.#options = options;
    options.meter.gauge('open_searches', 'Searches that have state at this shard.', () => this.#entries.size);
  }

  /** Searches that have state here. */
  get tasks(): number {
    return this.#entries.size;
  }

  /** Takes part from now on. */
  start(): void {
    const { bus, deployment, name, clock } = this.#options;
    this.#subscription = bus.subscribe(traverseSubject(deployment, name), (message) => this.#arrive(message));
    this.#sweeper = every(clock, SWEEP_MS, () => this.#sweep());
  }

  /** One slice, of about {@link SLICE_MS}. True if there is more to do. */
  slice(): boolean {
    const { clock } = this.#options;
    this.#acknowledge();
    const endMs = clock.monotonicMs() + SLICE_MS;
    for (let entry = this.#nextInTurn(); entry !== null; entry = this.#nextInTurn()) {
      this.#run(entry, endMs);
      if (clock.monotonicMs() >= endMs) break;
    }
    return this.#nextInTurn() !== null;
  }

  /** Forgets all searches and leaves the bus. */
  close(): void {
    this.#subscription?.close();
    this.#sweeper?.cancel();
    for (const id of this.#entries.keys()) this.#free(id, new NiobeError('SEARCH_LOST', 'the shard is about to end'));
  }

  #acknowledge(): void {
    for (const message of this.#taken) message.reply(beginReply(TraverseKind.FRONTIER).finish());
    this.#taken.length = 0;
  }

  /** The task that did not run for longest. */
  #nextInTurn(): Entry | null {
    for (const entry of this.#entries.values()) if (entry.task.canRun) return entry;
    return null;
  }

  #run(entry: Entry, endMs: number): void {
    const { id } = entry.task;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    try {
      entry.task.run(endMs);
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      this.#free(id, error);
    }
  }

  #arrive(message: BusMessage): void {
    try {
      const { kind, task } = readHeader(new ByteReader(message.payload));
      this.#execute(kind, task, message);
      this.#options.wake();
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      message.reply(refusalReply(message.payload, error));
    }
  }

  #execute(kind: TraverseKindCode, task: number, message: BusMessage): void {
    switch (kind) {
      case TraverseKind.START:
        this.#begin(readStart(message.payload));
        return message.reply(beginReply(kind).finish());
      case TraverseKind.FRONTIER:
        this.#entry(task).task.take(readPart(message.payload));
        this.#taken.push(message);
        return;
      case TraverseKind.COLLECT:
        return this.#collect(this.#entry(task), message);
      case TraverseKind.END:
        this.#free(task, null);
        this.#ended.add(task, null);
        return message.reply(beginReply(kind).finish());
    }
  }

  /** The task of an id that somebody sent something about. Throws what ended it, or `SEARCH_LOST`. */
  #entry(id: number): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw this.#ended.reason(id);
    entry.task.heardMs = this.#options.clock.monotonicMs();
    return entry;
  }

  #begin(plan: SearchPlan): void {
    if (this.#entries.has(plan.task)) return;
    if (this.#ended.has(plan.task)) throw this.#ended.reason(plan.task);
    if (this.#entries.size >= SEARCHES_MAX) {
      const details = { retryAfterMs: SEARCHES_RETRY_MS };
      throw new NiobeError('TOO_MANY_SEARCHES', `${SEARCHES_MAX} searches are under way at this shard`, details);
    }
    const { name, clock } = this.#options;
    const self = plan.shards.indexOf(name);
    if (self < 0) throw new NiobeError('BAD_REQUEST', `${name} is no shard of this search`);
    const task = this.#task(plan, self);
    const late = (): void => {
      const message = `budget.ms: the search did not end in time; it had come to level ${task.level}`;
      this.#free(plan.task, new NiobeError('DEADLINE', message));
    };
    this.#entries.set(plan.task, { task, deadline: clock.after(plan.leftMs, late), waiting: null });
  }

  #task(plan: SearchPlan, self: number): SearchTask {
    const { bus, deployment, cells, clock } = this.#options;
    return new SearchTask({
      plan,
      self,
      deployment,
      bus,
      cells,
      readers: this.#readers,
      sections: this.#sections,
      clock,
      onOver: () => this.#answer(plan.task),
      onFailed: (error) => this.#free(plan.task, error),
    });
  }

  /** Answers at once where the search is over, else when it is, or with nothing after the time that was asked. */
  #collect(entry: Entry, message: BusMessage): void {
    const { waitMs, fromRow } = readCollect(message.payload);
    this.#endWait(entry, () => runningReply());
    const stillRunning = (): void => this.#endWait(entry, () => runningReply());
    entry.waiting = { message, fromRow, timer: this.#options.clock.after(waitMs, stillRunning) };
    if (entry.task.share !== null) this.#answer(entry.task.id);
  }

  #answer(id: number): void {
    const entry = this.#entries.get(id);
    const share = entry?.task.share;
    if (entry === undefined || share == null) return;
    this.#endWait(entry, (fromRow) => shareReply(share, fromRow, PAGE_BYTES));
  }

  #endWait(entry: Entry, reply: (fromRow: number) => Uint8Array): void {
    const { waiting } = entry;
    if (waiting === null) return;
    entry.waiting = null;
    waiting.timer.cancel();
    waiting.message.reply(reply(waiting.fromRow));
  }

  /** Ends a task; `error` is what those who still ask are told, null where nobody will. */
  #free(id: number, error: NiobeError | null): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#ended.add(id, error);
    entry.deadline.cancel();
    entry.task.end();
    const { waiting } = entry;
    if (waiting !== null) this.#endWait(entry, () => refusalReply(waiting.message.payload, this.#ended.reason(id)));
  }

  #sweep(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const { task } of this.#entries.values()) {
      if (nowMs - task.heardMs < IDLE_MS) continue;
      this.#options.logger.warn({ task: task.id }, 'a search that nobody asks about is freed');
      this.#free(task.id, null);
    }
  }
}
