import {
  every,
  isNiobeError,
  messageOf,
  type NiobeError,
  type Clock,
  type Counter,
  type Logger,
  type Meter,
  type Timer,
} from '@niobe/kernel';
import type { Attempt } from '../backup/backup-store.ts';
import type { BackupClient } from '../backup/backup-client.ts';
import { ShipFrameWriter, type ShipVerdict } from '../backup/ship-frame.ts';
import { BACKOFF_MS, CHECK_MS, JOINS_AT_A_TIME, SHIP_FRAME_BYTES, WINDOW_BYTES, WINDOW_REQUESTS } from '../limits.ts';
import type { CopyProgress } from './copy-progress.ts';
import type { PartitionLog } from './partition-log.ts';

/**
 * A primary's connection to one backup server.
 *
 * 1. A copy joins: REGISTER, INVENTORY, a plan. At most JOINS_AT_A_TIME at once, one alone while the server is not known to answer.
 * 2. Copies with work wait in a line. A frame takes from the line until it is full; a turn of the event loop makes one round of
 *    frames, so what was appended in a turn travels together. WINDOW_BYTES and WINDOW_REQUESTS are in flight at most.
 * 3. A frame that was refused as a whole (`BUSY`, `DISK_FULL`) is made again after the pause that was asked for. Any other failure
 *    leaves unknown what was done: all copies leave, and join again after a pause that doubles.
 * 4. A section that is out of order or does not follow on what is held: that copy alone joins again.
 * 5. Every CHECK_MS the server is asked whether the registrations hold: a restart, and with it an emptied disk, shows without traffic.
 */

/** Pause before a copy joins again that was told GAP or STALE. */
const REJOIN_MS = 50;
/** Room for a frame to begin with; it grows to that of the longest. */
const FRAME_START_BYTES = 65_536;

/** How a link reports. */
export interface BackupLinkListener {
  /** More may be durable on a copy. */
  advanced(log: PartitionLog): void;
  /** The partition was promised to another attempt. */
  fenced(log: PartitionLog, promised: Attempt | null): void;
}

/** State of a link for readiness. */
export interface LinkStatus {
  readonly backup: string;
  /** Whether the backup server answers. */
  readonly isUp: boolean;
  readonly partitions: number;
  /** Of them, partitions whose copy has what it must have to count. */
  readonly completePartitions: number;
  readonly behindBytes: number;
  /** Why it does not answer; empty while it does. */
  readonly reason: string;
}

interface Sent {
  readonly copy: CopyProgress;
  readonly stream: number;
  readonly sections: number;
}

export class BackupLink {
  readonly backup: string;
  readonly #client: BackupClient;
  readonly #frame: ShipFrameWriter;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listener: BackupLinkListener;
  readonly #copies = new Map<number, CopyProgress>();
  /** Copies that are to join, in order. */
  readonly #joinLine = new Set<CopyProgress>();
  /** Copies with work, in order. */
  readonly #workLine = new Set<CopyProgress>();
  readonly #counters: LinkCounters;
  #joins = 0;
  #isUp = false;
  #reason = 'not asked yet';
  #pauseMs: number = BACKOFF_MS.first;
  #paused: Timer | null = null;
  #turn: Timer | null = null;
  readonly #checker: Timer;
  #bytesInFlight = 0;
  #requestsInFlight = 0;
  #isClosed = false;

  constructor(
    client: BackupClient,
    owner: string,
    parts: { clock: Clock; logger: Logger; meter: Meter },
    listener: BackupLinkListener,
  ) {
    this.backup = client.name;
    this.#client = client;
    this.#frame = new ShipFrameWriter(owner, FRAME_START_BYTES);
    this.#clock = parts.clock;
    this.#logger = parts.logger.child({ backup: client.name });
    this.#listener = listener;
    this.#counters = countersOf(parts.meter, this);
    this.#checker = every(parts.clock, CHECK_MS, () => this.#check());
  }

  /** Bytes of all partitions that the backup server is not known to have. */
  get behindBytes(): number {
    let bytes = 0;
    for (const copy of this.#copies.values()) bytes += copy.behindBytes;
    return bytes;
  }

  get status(): LinkStatus {
    const copies = [...this.#copies.values()];
    return {
      backup: this.backup,
      isUp: this.#isUp,
      partitions: copies.length,
      completePartitions: copies.filter((copy) => copy.isComplete).length,
      behindBytes: this.behindBytes,
      reason: this.#isUp ? '' : this.#reason,
    };
  }

  copy(partition: number): CopyProgress | undefined {
    return this.#copies.get(partition);
  }

  /** Begins to keep the copy of a partition like its log. */
  add(copy: CopyProgress): void {
    this.#copies.set(copy.log.partition, copy);
    this.#joinLine.add(copy);
    this.#joinNext();
  }

  /** Stops keeping the copy of a partition. */
  remove(partition: number): void {
    const copy = this.#copies.get(partition);
    if (copy === undefined) return;
    copy.leave();
    this.#copies.delete(partition);
    this.#joinLine.delete(copy);
    this.#workLine.delete(copy);
  }

  /** The copy may have work now. */
  wake(copy: CopyProgress): void {
    if (!copy.hasWork) return;
    this.#workLine.add(copy);
    if (this.#paused === null) this.#turn ??= this.#clock.soon(() => this.#ship());
  }

  close(): void {
    this.#isClosed = true;
    this.#checker.cancel();
    this.#paused?.cancel();
    this.#turn?.cancel();
    for (const partition of this.#copies.keys()) this.remove(partition);
  }

  #joinNext(): void {
    const atATime = this.#isUp ? JOINS_AT_A_TIME : 1;
    for (const copy of this.#joinLine) {
      if (this.#joins >= atATime || this.#paused !== null || this.#isClosed) return;
      this.#joinLine.delete(copy);
      void this.#join(copy);
    }
  }

  /** Never rejects. */
  async #join(copy: CopyProgress): Promise<void> {
    const { partition, attempt } = copy.log;
    this.#joins += 1;
    copy.phase = 'joining';
    try {
      const registration = await this.#client.register(partition, attempt);
      if (registration.kind === 'FENCED') return this.#listener.fenced(copy.log, registration.promised);
      const holding = await this.#client.inventory(partition);
      if (copy.phase === 'joining') this.#joined(copy, registration.stream, holding);
    } catch (error) {
      if (copy.phase === 'joining') this.#notJoined(copy, error);
    } finally {
      this.#joins -= 1;
      this.#joinNext();
    }
  }

  #notJoined(copy: CopyProgress, error: unknown): void {
    if (!isRefusal(error)) return this.#lose(error);
    copy.leave();
    this.#joinLine.add(copy);
    this.#pause(error.details.retryAfterMs ?? REJOIN_MS);
  }

  #joined(copy: CopyProgress, stream: number, holding: Parameters<CopyProgress['join']>[1]): void {
    if (!this.#isUp) this.#logger.info({ behindBytes: this.behindBytes }, 'the backup server answers');
    this.#isUp = true;
    this.#pauseMs = BACKOFF_MS.first;
    copy.join(stream, holding);
    this.#counters.joins.add(1);
    this.#listener.advanced(copy.log);
    this.wake(copy);
  }

  #ship(): void {
    this.#turn = null;
    while (this.#workLine.size > 0 && this.#paused === null) {
      if (this.#requestsInFlight >= WINDOW_REQUESTS || this.#bytesInFlight >= WINDOW_BYTES) return;
      this.#shipFrame();
    }
  }

  #shipFrame(): void {
    const writer = this.#frame;
    const sent: Sent[] = [];
    writer.begin();
    for (const copy of this.#workLine) {
      const before = writer.sections;
      if (copy.hasWork) copy.take(writer, SHIP_FRAME_BYTES);
      const sections = writer.sections - before;
      if (copy.hasWork && sections === 0) break; // No room left: it is first in the next frame.
      this.#workLine.delete(copy);
      if (sections > 0) sent.push({ copy, stream: copy.stream, sections });
      else this.#listener.advanced(copy.log);
    }
    if (writer.sections > 0) void this.#send(writer.finish(), sent);
  }

  /** Never rejects. */
  async #send(frame: Uint8Array, sent: readonly Sent[]): Promise<void> {
    this.#bytesInFlight += frame.length;
    this.#requestsInFlight += 1;
    this.#counters.frames.add(1);
    this.#counters.bytes.add(frame.length);
    try {
      this.#answered(sent, await this.#client.ship(frame));
    } catch (error) {
      this.#failed(sent, error);
    } finally {
      this.#bytesInFlight -= frame.length;
      this.#requestsInFlight -= 1;
      if (this.#workLine.size > 0 && this.#paused === null) this.#turn ??= this.#clock.soon(() => this.#ship());
    }
  }

  #answered(sent: readonly Sent[], verdicts: readonly ShipVerdict[]): void {
    let at = 0;
    for (const { copy, stream, sections } of sent) {
      const refused = verdicts.slice(at, at + sections).find(({ kind }) => kind !== 'OK');
      const isShort = verdicts.length < at + sections;
      at += sections;
      if (!isCurrent(copy, stream)) continue;
      if (refused === undefined && !isShort) this.#acknowledged(copy);
      else this.#rejoin(copy, refused ?? { kind: 'STALE' });
    }
  }

  #acknowledged(copy: CopyProgress): void {
    copy.acknowledge();
    this.#listener.advanced(copy.log);
    this.wake(copy);
  }

  #rejoin(copy: CopyProgress, verdict: ShipVerdict): void {
    copy.leave();
    if (verdict.kind === 'FENCED') return this.#listener.fenced(copy.log, verdict.promised);
    this.#logger.warn({ partition: copy.log.partition, verdict: verdict.kind }, 'a copy is asked anew what it holds');
    this.#clock.after(
      REJOIN_MS,
      () => {
        if (this.#copies.get(copy.log.partition) !== copy || copy.phase !== 'away') return;
        this.#joinLine.add(copy);
        this.#joinNext();
      },
      true,
    );
  }

  /** Never rejects. */
  async #check(): Promise<void> {
    const asked = [...this.#copies.values()].filter(({ phase }) => phase === 'shipping');
    const streams = asked.map(({ log, stream }) => ({ partition: log.partition, stream }));
    if (streams.length === 0) return;
    try {
      const areOpen = await this.#client.check(streams);
      for (const [i, copy] of asked.entries())
        if (areOpen[i] !== true && isCurrent(copy, streams[i]!.stream)) this.#rejoin(copy, { kind: 'STALE' });
    } catch (error) {
      if (!isNiobeError(error, 'BUSY') && asked.some((copy, i) => isCurrent(copy, streams[i]!.stream)))
        this.#lose(error);
    }
  }

  #failed(sent: readonly Sent[], error: unknown): void {
    if (!sent.some(({ copy, stream }) => isCurrent(copy, stream))) return;
    if (!isRefusal(error)) return this.#lose(error);
    this.#counters.refusals.add(1);
    for (const { copy, stream } of sent) {
      if (!isCurrent(copy, stream)) continue;
      copy.putBack();
      this.#workLine.add(copy);
    }
    this.#pause(error.details.retryAfterMs ?? REJOIN_MS);
  }

  /** Nothing is known of what the backup server did: every copy begins again. */
  #lose(error: unknown): void {
    if (!isNiobeError(error)) throw error;
    if (this.#isClosed) return;
    if (this.#isUp || this.#reason !== error.message)
      this.#logger.warn({ code: error.code, error: messageOf(error) }, 'the backup server does not answer');
    this.#isUp = false;
    this.#reason = error.message;
    this.#workLine.clear();
    for (const copy of this.#copies.values()) {
      copy.leave();
      this.#joinLine.add(copy);
    }
    this.#pause(this.#pauseMs);
    this.#pauseMs = Math.min(BACKOFF_MS.most, this.#pauseMs * 2);
  }

  #pause(pauseMs: number): void {
    this.#paused?.cancel();
    this.#paused = this.#clock.after(
      pauseMs,
      () => {
        this.#paused = null;
        this.#joinNext();
        if (this.#workLine.size > 0) this.#ship();
      },
      true,
    );
  }
}

/** Whether nothing of a request was done, and it may be made again after a pause. */
function isRefusal(error: unknown): error is NiobeError {
  return isNiobeError(error, 'BUSY') || isNiobeError(error, 'DISK_FULL');
}

/** Whether an answer still concerns the copy: it has not joined anew since the frame was made. */
function isCurrent(copy: CopyProgress, stream: number): boolean {
  return copy.phase === 'shipping' && copy.stream === stream;
}

interface LinkCounters {
  readonly frames: Counter;
  readonly bytes: Counter;
  readonly joins: Counter;
  readonly refusals: Counter;
}

function countersOf(meter: Meter, link: BackupLink): LinkCounters {
  const labels = { backup: link.backup };
  const behind = 'Bytes appended that the backup server is not known to have.';
  meter.gauge('backup_behind_bytes', behind, () => link.behindBytes, labels);
  meter.gauge('backup_up_info', '1 while the backup server answers.', () => (link.status.isUp ? 1 : 0), labels);
  const complete = 'Partitions whose copy on the backup server counts for durability.';
  meter.gauge('backup_complete_partitions', complete, () => link.status.completePartitions, labels);
  return {
    frames: meter.counter('ship_frames_total', 'Frames sent to the backup server.', labels),
    bytes: meter.counter('ship_bytes_total', 'Bytes of frames sent to the backup server.', labels),
    joins: meter.counter('ship_joins_total', 'Copies that were registered and compared.', labels),
    refusals: meter.counter('ship_refusals_total', 'Frames refused for lack of room, sent again later.', labels),
  };
}
