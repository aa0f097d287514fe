import { NiobeError } from '@niobe/kernel';
import type { Pin } from './pins.ts';

/** How many snapshots there may be, how old, and what gives way. Each is optional where an arena is made. */
export interface SnapshotPolicy {
  /** Open snapshots of one partition; default 16. */
  readonly maxSnapshots: number;
  /** A snapshot older than this is ended; default ten minutes. */
  readonly maxAgeMs: number;
  /** What happens at one more than `maxSnapshots`: the new one is refused, or the oldest is ended. Default `refuse`. */
  readonly whenMany: 'refuse' | 'evict';
}

/**
 * The open snapshots of an arena, oldest first. Whatever the policy says of their number, they give way where a writer, or the cleaner,
 * finds no memory and they hold some: a snapshot can be taken again, a write that was refused hurts at once.
 */
export class OpenSnapshots {
  readonly policy: SnapshotPolicy;
  readonly #open = new Set<Pin>();
  /** Pages of slots that only snapshots need. */
  heldPages = 0;
  /** Bytes of segments that only snapshots need. */
  heldBytes = 0;
  /** Snapshots that were ended by policy or for their memory. */
  evicted = 0;

  /** Throws `BAD_CONFIG` where no snapshot could be taken. */
  constructor(policy: Partial<SnapshotPolicy> = {}) {
    this.policy = { ...POLICY_DEFAULT, ...policy };
    const { maxSnapshots, maxAgeMs } = this.policy;
    if (maxSnapshots >= 1 && maxAgeMs > 0) return;
    throw new NiobeError('BAD_CONFIG', `${maxSnapshots} snapshots of at most ${maxAgeMs} ms; both are above 0`);
  }

  get count(): number {
    return this.#open.size;
  }

  add(pin: Pin): void {
    this.#open.add(pin);
  }

  remove(pin: Pin): void {
    this.#open.delete(pin);
  }

  /** Ends the oldest if snapshots hold pages. True if it did; then it is worth to ask for a page again. */
  givePages(): boolean {
    return this.heldPages > 0 && this.#evictOldest();
  }

  /** As {@link givePages}, for segments. */
  giveSegments(): boolean {
    return this.heldBytes > 0 && this.#evictOldest();
  }

  #evictOldest(): boolean {
    for (const pin of this.#open) {
      this.evict(pin);
      return true;
    }
    return false;
  }

  /** Ends a snapshot that its owner has not closed. */
  evict(pin: Pin): void {
    this.evicted += 1;
    pin.end();
  }

  /** Ends those that are too old. O(1) where there are none. */
  expire(nowMs: number): void {
    for (const pin of this.#open) {
      if (nowMs - pin.takenAtMs < this.policy.maxAgeMs) return;
      this.evict(pin);
    }
  }
}

const POLICY_DEFAULT: SnapshotPolicy = { maxSnapshots: 16, maxAgeMs: 600_000, whenMany: 'refuse' };
