import {
  BoundedQueue,
  ByteReader,
  deferred,
  isNiobeError,
  messageOf,
  NiobeError,
  silentLogger,
  silentMeter,
  type Clock,
  type Counter,
  type Deferred,
  type Logger,
  type Meter,
  type Random,
} from '@niobe/kernel';
import { backupSubject, type Bus, type BusMessage, type Subscription } from '@niobe/grid';
import { READS_AT_A_TIME, REQUEST_BYTES_MAX, ROUND_BYTES, WAITING_BYTES_MAX, WAITING_REQUESTS_MAX } from '../limits.ts';
import type { BackupStore } from './backup-store.ts';
import { checkReply, rangeReply, readCheck, readReadRange } from './copy-frames.ts';
import { BackupRequest, readRequestKind, refusalReply } from './frames.ts';
import { readRoundRequest, type RoundRequest } from './round-request.ts';
import { ShipStreams } from './ship-streams.ts';

/**
 * A backup server: takes requests from the bus and carries them to a store, in rounds.
 *
 * 1. A request waits in one queue, bounded in bytes and items. Full: `BUSY`, nothing was done.
 * 2. A round takes what waits, up to ROUND_BYTES: it asks the store for room, stages every change in the order of arrival, syncs
 *    once, and only then answers. While the disk syncs, the next round gathers. So the fewer syncs a second the disk can do, the
 *    more each of them carries.
 * 3. No room (`DISK_FULL`): the whole round is refused and nothing was done. The disk failed: the store may hold what it never
 *    synced, so everything is refused from then on and `onFailure` is called: the process must end and recover from its disk.
 * 4. READ and CHECK do not wait for rounds: they touch nothing that a round makes durable.
 */

/** Pause that a refused sender is asked to make. */
const BUSY_RETRY_MS = 50;

/** What a backup server is made of. */
export interface BackupServerOptions {
  readonly bus: Bus;
  readonly store: BackupStore;
  readonly deployment: string;
  /** Name of this backup server, such as `backup-0`. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly meter?: Meter;
  /** Called once, when the store is of no more use. */
  readonly onFailure?: (error: NiobeError) => void;
}

interface Waiting {
  readonly request: RoundRequest;
  readonly message: BusMessage;
}

/** Serves the backup protocol on the subject of its name from {@link start} to {@link close}. */
export class BackupServer {
  readonly #options: BackupServerOptions;
  readonly #store: BackupStore;
  readonly #logger: Logger;
  readonly #streams: ShipStreams;
  readonly #waiting = new BoundedQueue<Waiting>(WAITING_REQUESTS_MAX, WAITING_BYTES_MAX);
  readonly #counters: ServerCounters;
  #subscription: Subscription | null = null;
  #running: Deferred<void> | null = null;
  #reads = 0;
  #failure: NiobeError | null = null;
  #refused: NiobeError | null = null;

  constructor(options: BackupServerOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#logger = options.logger ?? silentLogger;
    this.#streams = new ShipStreams(options.random);
    this.#counters = countersOf(options.meter ?? silentMeter, this.#waiting, options.store);
  }

  /** Begins to answer. */
  start(): void {
    const subject = backupSubject(this.#options.deployment, this.#options.name);
    this.#subscription = this.#options.bus.subscribe(subject, (message) => this.#take(message));
  }

  /** Why writes are refused at present, or null. */
  get refusal(): NiobeError | null {
    return this.#failure ?? this.#refused;
  }

  /** Stops taking requests and waits until those that wait are answered. The store stays open. */
  async close(): Promise<void> {
    this.#subscription?.close();
    this.#subscription = null;
    await this.#running?.promise;
  }

  #take(message: BusMessage): void {
    this.#counters.requests.add(1);
    try {
      const reader = new ByteReader(message.payload);
      if (message.payload.length > REQUEST_BYTES_MAX)
        throw new NiobeError('TOO_LARGE', `a request of ${message.payload.length} bytes exceeds ${REQUEST_BYTES_MAX}`);
      const kind = readRequestKind(reader);
      if (kind === BackupRequest.read) void this.#read(message, reader);
      else if (kind === BackupRequest.check) this.#check(message, reader);
      else this.#enqueue({ request: readRoundRequest(kind, reader), message });
    } catch (error) {
      this.#refuse(message, errorOf(error));
    }
  }

  #enqueue(waiting: Waiting): void {
    if (this.#failure !== null) throw this.#failure;
    if (!this.#waiting.push(waiting, waiting.message.payload.length))
      throw busy(`${this.#waiting.bytes} bytes wait for the disk of ${this.#options.name}`);
    if (this.#running === null) void this.#run();
  }

  #refuse(message: BusMessage, error: NiobeError): void {
    this.#counters.refusals.add(1);
    message.reply(refusalReply(message.payload[1] ?? 0, error));
  }

  /** Rounds until nothing waits. Never rejects. */
  async #run(): Promise<void> {
    const running = deferred<void>();
    this.#running = running;
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#round();
    this.#running = null;
    running.resolve();
  }

  async #round(): Promise<void> {
    const taken = this.#gather();
    try {
      if (this.#failure !== null) throw this.#failure;
      await this.#store.prepare(sum(taken, 'bytes'), sum(taken, 'changes'));
      const replies = taken.map(({ request }) => request.stage(this.#store, this.#streams));
      await this.#sync();
      this.#refused = null;
      for (const [i, { message }] of taken.entries()) this.#answer(message, replies[i]!);
    } catch (error) {
      this.#refused = errorOf(error);
      for (const { message } of taken) this.#refuse(message, this.#refused);
    }
  }

  /** An answer that is too long to be sent is refused alone: the others of its round stand. */
  #answer(message: BusMessage, reply: () => Uint8Array): void {
    try {
      message.reply(reply());
    } catch (error) {
      this.#refuse(message, errorOf(error));
    }
  }

  #gather(): Waiting[] {
    const taken: Waiting[] = [];
    let bytes = 0;
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      bytes += next.message.payload.length;
      if (taken.length > 0 && bytes > ROUND_BYTES) break;
      taken.push(next);
      this.#waiting.shift();
    }
    return taken;
  }

  async #sync(): Promise<void> {
    try {
      await this.#store.sync();
    } catch (error) {
      this.#failure = errorOf(error);
      this.#logger.error({ error: messageOf(error) }, 'the disk failed: this backup server takes nothing more');
      this.#options.onFailure?.(this.#failure);
      throw this.#failure;
    }
  }

  #check(message: BusMessage, reader: ByteReader): void {
    if (this.#failure !== null) throw this.#failure;
    const streams = readCheck(reader);
    message.reply(checkReply(streams.map(({ partition, stream }) => this.#streams.isOpen(partition, stream))));
  }

  async #read(message: BusMessage, reader: ByteReader): Promise<void> {
    this.#reads += 1;
    try {
      const range = readReadRange(reader);
      if (this.#reads > READS_AT_A_TIME) throw busy(`${this.#options.name} answers ${READS_AT_A_TIME} reads`);
      const { partition, segment, segmentEpoch, offset, bytes } = range;
      message.reply(rangeReply(await this.#store.read(partition, segment, segmentEpoch, offset, bytes)));
    } catch (error) {
      this.#refuse(message, errorOf(error));
    } finally {
      this.#reads -= 1;
    }
  }
}

function sum(taken: readonly Waiting[], of: 'bytes' | 'changes'): number {
  return taken.reduce((total, { request }) => total + request[of], 0);
}

function busy(why: string): NiobeError {
  return new NiobeError('BUSY', `${why}: send again later`, { retryAfterMs: BUSY_RETRY_MS });
}

/** Operating errors as they are; anything else is a defect, told as such without ending the server's other work. */
function errorOf(error: unknown): NiobeError {
  if (isNiobeError(error)) return error;
  throw error;
}

interface ServerCounters {
  readonly requests: Counter;
  readonly refusals: Counter;
}

function countersOf(meter: Meter, waiting: BoundedQueue<Waiting>, store: BackupStore): ServerCounters {
  meter.gauge('waiting_bytes', 'Request bytes that wait for a round.', () => waiting.bytes);
  meter.gauge(
    'waiting_limit_bytes',
    'Request bytes that may wait; above it senders get BUSY.',
    () => WAITING_BYTES_MAX,
  );
  meter.gauge('held_partitions', 'Partitions of which a copy is held.', () => store.report().partitions);
  meter.gauge('held_segments', 'Segments held.', () => store.report().segments);
  meter.gauge('held_bytes', 'Bytes held in segments.', () => store.report().heldBytes);
  return {
    requests: meter.counter('requests_total', 'Requests that arrived.'),
    refusals: meter.counter('refusals_total', 'Requests that were refused.'),
  };
}
