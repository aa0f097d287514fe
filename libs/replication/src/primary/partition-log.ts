import { assert } from '@niobe/kernel';
import type { StoreEvents } from '@niobe/store';
import type { Attempt } from '../backup/backup-store.ts';

/**
 * What the primary knows of the log of one of its partitions: which segments there are, by whom they were opened, how long they are.
 * The store tells it by events; the copies on the backup servers are compared with it.
 *
 * The *base* is what this attempt found at recovery. It is never appended to, and a copy that has all of it is complete.
 */

/** The memory that segments live in. A `PartitionStore` is one. */
export interface SegmentSource {
  /** The segment's bytes, those appended at least; a view, valid until `release`. */
  segmentBytes(segment: number): Uint8Array;
  /** The segment is no longer needed: the survivors of its entries are durable everywhere. */
  release(segment: number): void;
}

/** A segment as recovery left it. */
export interface BaseSegment {
  readonly segment: number;
  /** The epoch that opened it. */
  readonly epoch: number;
  readonly bytes: number;
}

/** A segment as it is. */
export interface LogSegment {
  readonly segment: number;
  readonly epoch: number;
  endBytes: number;
}

/** Who wants to know what happens to a log. */
export interface PartitionLogListener {
  appended(log: PartitionLog, segment: number, bytes: number): void;
  retired(log: PartitionLog): void;
}

interface RetiredSegment {
  readonly segment: number;
  /** When this is durable, what was live in it is durable elsewhere. */
  readonly afterSeq: number;
}

/** The log of one partition in one attempt. Its methods named after events are for the store that appends to it. */
export class PartitionLog implements StoreEvents {
  readonly partition: number;
  readonly attempt: Attempt;
  readonly base: readonly BaseSegment[];
  /** Last commit of the base; 0 = none. */
  readonly baseSeq: number;
  readonly #segments = new Map<number, LogSegment>();
  readonly #retired: RetiredSegment[] = [];
  readonly #listener: PartitionLogListener;
  #source: SegmentSource | null = null;
  #lastSeq: number;
  #baseIsWhole = true;

  constructor(
    partition: number,
    attempt: Attempt,
    base: readonly BaseSegment[],
    baseSeq: number,
    listener: PartitionLogListener,
  ) {
    this.partition = partition;
    this.attempt = attempt;
    this.base = [...base].sort((a, b) => a.segment - b.segment);
    this.baseSeq = baseSeq;
    this.#lastSeq = baseSeq;
    this.#listener = listener;
    for (const { segment, epoch, bytes } of this.base) this.#segments.set(segment, { segment, epoch, endBytes: bytes });
  }

  /** Gives the memory of the segments; until then nothing can be shipped. */
  attach(source: SegmentSource): void {
    assert(this.#source === null, 'a log has one store');
    this.#source = source;
  }

  get isAttached(): boolean {
    return this.#source !== null;
  }

  get source(): SegmentSource {
    assert(this.#source !== null, 'the log has its store before it is shipped');
    return this.#source;
  }

  /** Seq of the last commit. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Whether every segment of the base is still here. */
  get baseIsWhole(): boolean {
    return this.#baseIsWhole;
  }

  segment(segment: number): LogSegment | undefined {
    return this.#segments.get(segment);
  }

  /** By rising number. */
  segments(): LogSegment[] {
    return [...this.#segments.values()].sort((a, b) => a.segment - b.segment);
  }

  /** Event: a segment was opened for appending. */
  opened(segment: number): void {
    assert(!this.#segments.has(segment), 'a segment number is used once');
    this.#segments.set(segment, { segment, epoch: this.attempt.epoch, endBytes: 0 });
  }

  /** Event: whole batches up to commit `seq` were appended at `[start, end)`. */
  appended(segment: number, start: number, end: number, seq: number): void {
    const grown = this.#segments.get(segment);
    assert(grown !== undefined && grown.endBytes === start, 'a segment grows without gaps');
    assert(seq >= this.#lastSeq, 'commits are numbered in their order');
    grown.endBytes = end;
    this.#lastSeq = seq;
    this.#listener.appended(this, segment, end - start);
  }

  /** Event: nothing more will be appended to the segment. Nothing depends on it here. */
  sealed(_segment: number): void {}

  /** Event: the segment has no live entry left; what made them dead are commits up to `commitSeq`. */
  retired(segment: number, commitSeq: number): void {
    assert(this.#segments.has(segment), 'a segment is retired once');
    this.#retired.push({ segment, afterSeq: commitSeq });
    this.#listener.retired(this);
  }

  /** Takes out what may be forgotten once all up to `durableSeq` is durable everywhere, and gives its memory back. */
  releaseRetired(durableSeq: number): LogSegment[] {
    const released: LogSegment[] = [];
    while (this.#retired.length > 0 && this.#retired[0]!.afterSeq <= durableSeq) {
      const { segment } = this.#retired.shift()!;
      const left = this.#segments.get(segment)!;
      released.push(left);
      if (left.epoch < this.attempt.epoch) this.#baseIsWhole = false;
      this.#segments.delete(segment);
      this.source.release(segment);
    }
    return released;
  }
}
