import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { messageOf, seededRandom, systemClock, type Random } from '@niobe/kernel';
import { Arena, type SharedSnapshot, type Snapshot } from '@niobe/store';
import { AccountBook, totalOf } from './account-book.ts';
import type { SumFinding } from './account-sums.ts';

/** What a trial has seen so far. */
export interface ThreadsFindings {
  readonly commits: number;
  readonly refused: number;
  readonly snapshots: number;
  /** Sums that were right, over so many accounts. */
  readonly sums: number;
  readonly accounts: number;
  /** Readers that were told that their snapshot had ended. */
  readonly expired: number;
  /** Snapshots that were ended for their memory. */
  readonly evicted: number;
  readonly emptiedSegments: number;
  /** What must not be: one line each, a few of them. */
  readonly wrong: readonly string[];
}

/**
 * One thread moves amounts between accounts, three sum over snapshots: whatever they see, the total is the same. The cleaner works all the
 * time in an arena that the accounts nearly fill. Some snapshots are closed while a thread reads them; it must say that it was
 * told so, or give the sum.
 */
export class ThreadsTrial {
  readonly #book: AccountBook;
  readonly #readers: Reader[];
  readonly #random: Random;
  readonly #found = { snapshots: 0, sums: 0, accounts: 0, expired: 0, wrong: [] as string[] };

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#book = new AccountBook(ACCOUNTS, new Arena({ bytes: ARENA_BYTES }), this.#random);
    this.#readers = Array.from({ length: READERS }, () => new Reader((finding) => this.#take(finding)));
  }

  get findings(): ThreadsFindings {
    const { arena, commits, refused, store } = this.#book;
    const { emptiedSegments } = store.counts;
    return { ...this.#found, commits, refused, emptiedSegments, evicted: arena.snapshots.evicted };
  }

  /** Writes and reads until `isEnough`, or something is wrong, or time is up. */
  async run(isEnough: (findings: ThreadsFindings) => boolean, limitMs: number): Promise<void> {
    const endMs = systemClock.monotonicMs() + limitMs;
    while (!isEnough(this.findings) && this.#found.wrong.length === 0 && systemClock.monotonicMs() < endMs) {
      this.#write();
      for (const reader of this.#readers) this.#lead(reader);
      await setImmediate();
    }
  }

  /** Ends the threads; what the store holds must still be consistent. */
  async stop(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.stop()));
    this.#book.store.audit();
  }

  #write(): void {
    const endMs = systemClock.monotonicMs() + WRITE_MS;
    do this.#book.transfer();
    while (systemClock.monotonicMs() < endMs);
  }

  #lead(reader: Reader): void {
    if (reader.isIdle) {
      reader.take(this.#book.store.snapshot(), this.#book.commits + this.#random.below(AGE_COMMITS_MAX));
      this.#found.snapshots += 1;
    } else if (this.#random.below(CLOSED_SHARE) === 0) {
      reader.closeEarly();
    }
    reader.readFrom(this.#book.commits);
  }

  #take(finding: SumFinding): void {
    if (finding.found === 'expired') this.#found.expired += 1;
    else if (finding.found === 'failure') this.#found.wrong.push(finding.message);
    else this.#takeSum(finding);
  }

  #takeSum({ total, accounts, wrong }: SumFinding & { readonly found: 'sum' }): void {
    this.#found.sums += 1;
    this.#found.accounts += accounts;
    this.#found.wrong.push(...wrong);
    const expected = totalOf(this.#book.accounts);
    if (total !== expected) this.#found.wrong.push(`the sum of ${accounts} accounts is ${total}, not ${expected}`);
  }
}

/** One reading thread, and the snapshot it has. */
class Reader {
  readonly #worker: Worker;
  #snapshot: Snapshot | null = null;
  /** Not posted yet. */
  #shared: SharedSnapshot | null = null;
  #readAt = 0;

  constructor(take: (finding: SumFinding) => void) {
    this.#worker = new Worker(new URL('./account-sums.worker.ts', import.meta.url), {
      execArgv: ['--conditions=@niobe/source', '--no-warnings'],
    });
    this.#worker.on('message', (finding: SumFinding) => {
      this.#snapshot?.close();
      this.#snapshot = null;
      take(finding);
    });
    this.#worker.on('error', (error) => take({ found: 'failure', message: messageOf(error) }));
  }

  get isIdle(): boolean {
    return this.#snapshot === null;
  }

  /** Takes over a snapshot, to be read once there are so many commits: it is old by then. */
  take(snapshot: Snapshot, readAt: number): void {
    this.#snapshot = snapshot;
    this.#shared = snapshot.share();
    this.#readAt = readAt;
  }

  readFrom(commits: number): void {
    if (this.#shared === null || commits < this.#readAt) return;
    this.#worker.postMessage(this.#shared);
    this.#shared = null;
  }

  closeEarly(): void {
    this.#snapshot?.close();
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
    this.#snapshot?.close();
  }
}

const READERS = 3;
const ACCOUNTS = 10_000;
/** Accounts of some 340 bytes fill a fifth of what is not reserved, so that a snapshot may live while the rest is written once. */
const ARENA_BYTES: number = 24 * 1024 * 1024;
/** How long the writer works before it lets messages in. */
const WRITE_MS = 5;
/** A snapshot is read when up to so many commits were made after it: in them the cleaner empties and frees what it had. */
const AGE_COMMITS_MAX = 1000;
/** One that waits or is being read is closed in one of so many rounds. */
const CLOSED_SHARE = 40;
