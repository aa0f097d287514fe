import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { isNiobeError, messageOf, systemClock } from '@niobe/kernel';
import type { Snapshot } from '@niobe/store';
import { OverwrittenStore } from './overwritten-store.ts';
import type { SampleFinding } from './sample-worker.ts';

/** What a trial has seen so far. */
export interface SoakFindings {
  readonly overwritten: number;
  /** Batches that were refused because the store was full. */
  readonly refused: number;
  readonly snapshots: number;
  /** Snapshots that gave way to a writer. */
  readonly evicted: number;
  /** Cells that readers looked at in snapshots, and snapshots that ended meanwhile. */
  readonly cellsRead: number;
  readonly expired: number;
  /** Bytes written and moved for each byte written. */
  readonly writeCost: number;
  /** Of the probe that is due every millisecond since the figures were asked for last. */
  readonly p999Ms: number;
  readonly largestMs: number;
  /** What must not be: one line each, a few of them. */
  readonly wrong: readonly string[];
}

/**
 * A store at 90 % utilisation whose cells are overwritten without end by Zipf's law, in a thread that has a probe due every millisecond.
 * Each second a snapshot is taken, which three reading threads look into, and closed when the next one is due.
 */
export class SoakTrial {
  readonly #overwritten: OverwrittenStore;
  readonly #readers: SampleReader[];
  readonly #found = { refused: 0, snapshots: 0, cellsRead: 0, expired: 0, wrong: [] as string[] };
  #snapshot: Snapshot | null = null;
  #delaysMs: number[] = [];

  constructor(arenaBytes: number) {
    this.#overwritten = new OverwrittenStore(arenaBytes, UTILISATION, 'zipf');
    this.#readers = Array.from({ length: READERS }, () => new SampleReader((finding) => this.#take(finding)));
  }

  /** Fills the store, after a small one has been through the same, so that compiling is not taken for stalls; before anything else. */
  fill(): void {
    const warmUp = new OverwrittenStore(WARM_UP_BYTES, UTILISATION, 'zipf');
    warmUp.fill();
    warmUp.overwrite(WARM_UP_ARENAS * warmUp.cellsOfArena);
    this.#overwritten.fill();
  }

  /** Runs for so many seconds, on top of what was run before. */
  async run(seconds: number): Promise<void> {
    const startMs = systemClock.monotonicMs();
    let probe = 0;
    for (let nextMs = 0; probe < seconds * 1000;) {
      this.#turn();
      await setImmediate();
      const nowMs = systemClock.monotonicMs() - startMs;
      // Probe n is due n ms after the start. Each that has come due meanwhile counts, with how late it is.
      for (; probe <= nowMs; probe++) this.#delaysMs.push(nowMs - probe);
      if (nowMs < nextMs) continue;
      nextMs = nowMs + SNAPSHOT_EVERY_MS;
      this.#takeSnapshot();
    }
  }

  #turn(): void {
    try {
      this.#overwritten.turn();
    } catch (error) {
      if (!isNiobeError(error, 'STORE_FULL')) throw error;
      this.#found.refused += 1;
      this.#overwritten.clean();
    }
  }

  #takeSnapshot(): void {
    this.#snapshot?.close();
    this.#snapshot = this.#overwritten.store.snapshot();
    this.#found.snapshots += 1;
    for (const reader of this.#readers) if (reader.isIdle) reader.read(this.#snapshot, this.#overwritten);
  }

  #take({ cells, isExpired, wrong }: SampleFinding): void {
    this.#found.cellsRead += cells;
    this.#found.expired += isExpired ? 1 : 0;
    if (wrong !== '' && this.#found.wrong.length < WRONG_MAX) this.#found.wrong.push(wrong);
  }

  /** What was found, and the delays since it was asked for last. */
  findings(): SoakFindings {
    const { arena, store, written } = this.#overwritten;
    const delays = Float64Array.from(this.#delaysMs).sort();
    this.#delaysMs = [];
    return {
      ...this.#found,
      overwritten: written,
      evicted: arena.snapshots.evicted,
      writeCost: 1 + store.counts.movedBytes / store.counts.writtenBytes,
      p999Ms: delays[Math.floor(delays.length * 0.999)] ?? 0,
      largestMs: delays.at(-1) ?? 0,
    };
  }

  /** Ends the threads; what the store holds must still be consistent. */
  async stop(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.stop()));
    this.#snapshot?.close();
    this.#overwritten.store.audit();
  }
}

/** A thread that looks into one snapshot at a time. */
class SampleReader {
  readonly #worker: Worker;
  isIdle = true;

  constructor(take: (finding: SampleFinding) => void) {
    const execArgv = ['--conditions=@niobe/source', '--no-warnings'];
    this.#worker = new Worker(new URL('./sample-worker.ts', import.meta.url), { execArgv });
    this.#worker.on('message', (finding: SampleFinding) => {
      this.isIdle = true;
      take(finding);
    });
    this.#worker.on('error', (error) => take({ cells: 0, isExpired: false, wrong: messageOf(error) }));
  }

  read(snapshot: Snapshot, { written, cells }: OverwrittenStore): void {
    this.isIdle = false;
    this.#worker.postMessage({ shared: snapshot.share(), written, cells });
  }

  async stop(): Promise<void> {
    if (!this.isIdle) await once(this.#worker, 'message');
    await this.#worker.terminate();
  }
}

const UTILISATION = 0.9;
const WARM_UP_BYTES: number = 64 * 1024 * 1024;
const WARM_UP_ARENAS = 3;
const READERS = 3;
const SNAPSHOT_EVERY_MS = 1_000;
/** More are not told. */
const WRONG_MAX = 5;
