import { assert } from '@niobe/kernel';
import type { Change, CopyHolding } from '../backup/backup-store.ts';
import { SECTION_OVERHEAD_BYTES, type ShipFrameWriter } from '../backup/ship-frame.ts';
import { SECTIONS_PER_FRAME_MAX } from '../limits.ts';
import { planCopy, type Step } from './copy-plan.ts';
import type { LogSegment, PartitionLog } from './partition-log.ts';

/**
 * How far one copy of one partition has come. It turns what the copy lacks into sections of SHIP frames, one frame in flight at a
 * time, so that sections arrive in their order; what is appended meanwhile goes with the next frame.
 *
 *     away -> joining -> shipping -> (refused, timed out, disconnected) -> away
 *
 * Commits count as durable on a copy from when it is complete in this attempt; when all steps of a plan are done, everything up to
 * the commit that was the last when the plan was made is.
 */

/** Where a copy is in its life. */
export type CopyPhase = 'away' | 'joining' | 'shipping';

/** What of a step is in flight, and how far it brings it. */
interface Piece {
  readonly step: Step;
  readonly to: number;
  /** False for a step that came to nothing because its segment has left the log. */
  readonly isSent: boolean;
}

const NOTHING_DAMAGED: ReadonlySet<number> = new Set();

export class CopyProgress {
  readonly log: PartitionLog;
  phase: CopyPhase = 'away';
  #damaged: ReadonlySet<number>;
  #stream = 0;
  #order = 0;
  #steps: Step[] = [];
  #nextStep = 0;
  /** What of the steps is in flight; empty: nothing. */
  #pieces: Piece[] = [];
  /** Last commit that is on the copy once the steps are done. */
  #goalSeq = 0;
  readonly #grown = new Set<number>();
  #ackedBytes = new Map<number, number>();
  #behindBytes = 0;
  #isComplete = false;
  #wasComplete = false;
  #durableSeq = 0;

  /** @param damaged segments that recovery found damaged on this copy. */
  constructor(log: PartitionLog, damaged: ReadonlySet<number> = NOTHING_DAMAGED) {
    this.log = log;
    this.#damaged = damaged;
  }

  /** Commits up to here are on the copy's disk. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  /** Bytes of the log that the copy is not known to have; those of the base count once the copy was asked. */
  get behindBytes(): number {
    return this.#behindBytes;
  }

  /** Whether the copy has all of the base in this attempt. */
  get isComplete(): boolean {
    return this.#isComplete && this.phase === 'shipping';
  }

  /** Identifies the registration that sections belong to. */
  get stream(): number {
    return this.#stream;
  }

  /** Whether {@link take} would give something. */
  get hasWork(): boolean {
    if (this.phase !== 'shipping' || this.#pieces.length > 0) return false;
    return this.#nextStep < this.#steps.length || this.#grown.size > 0;
  }

  /** The log grew by `bytes`. */
  appended(segment: number, bytes: number): void {
    this.#behindBytes += bytes;
    if (this.phase === 'shipping') this.#grown.add(segment);
  }

  /** A segment left the log: the copy can forget it. */
  released({ segment, epoch, endBytes }: LogSegment): void {
    this.#behindBytes -= endBytes - (this.#ackedBytes.get(segment) ?? 0);
    this.#ackedBytes.delete(segment);
    this.#grown.delete(segment);
    if (this.phase === 'shipping') this.#steps.push({ kind: 'free', segment, epoch });
  }

  /** The copy can no longer be told anything; what is on its disk stays. */
  leave(): void {
    this.phase = 'away';
    this.#pieces = [];
    this.#isComplete = false;
  }

  /** The copy was registered as `stream` and told what it holds. */
  join(stream: number, holding: CopyHolding): void {
    const plan = planCopy(this.log, holding, { wasComplete: this.#wasComplete, damaged: this.#damaged });
    this.phase = 'shipping';
    this.#stream = stream;
    this.#order = 0;
    this.#steps = plan.steps;
    this.#nextStep = 0;
    this.#pieces = [];
    this.#goalSeq = plan.seq;
    this.#ackedBytes = plan.heldBytes;
    this.#behindBytes = this.#lackingBytes();
    this.#isComplete = holding.completeEpoch === this.log.attempt.epoch;
    this.#grown.clear();
    for (const segment of plan.rest) this.#grown.add(segment);
    this.#settle();
  }

  #lackingBytes(): number {
    let bytes = 0;
    for (const { segment, endBytes } of this.log.segments()) bytes += endBytes - (this.#ackedBytes.get(segment) ?? 0);
    return bytes;
  }

  /** Adds the next sections to a frame, until it has `frameBytes`. */
  take(frame: ShipFrameWriter, frameBytes: number): void {
    assert(this.hasWork, 'only a copy with work is asked for it');
    if (this.#nextStep === this.#steps.length) this.#planGrown();
    let order = this.#order;
    for (let at = this.#nextStep; at < this.#steps.length; at++) {
      const room = frameBytes - frame.length - SECTION_OVERHEAD_BYTES;
      if (room <= 0 || frame.sections === SECTIONS_PER_FRAME_MAX) return;
      const piece = this.#takeStep(this.#steps[at]!, room, order + 1, frame);
      this.#pieces.push(piece);
      if (piece.isSent) order += 1;
      if (isCut(piece)) return;
    }
    if (order === this.#order) this.acknowledge(); // All that was left to send has left the log.
  }

  #planGrown(): void {
    this.#steps = [];
    this.#nextStep = 0;
    for (const segment of [...this.#grown].sort((a, b) => a - b)) {
      const grown = this.log.segment(segment);
      const from = this.#ackedBytes.get(segment) ?? 0;
      if (grown !== undefined && from < grown.endBytes)
        this.#steps.push({ kind: 'append', segment, from, to: grown.endBytes });
    }
    this.#grown.clear();
    this.#goalSeq = this.log.lastSeq;
  }

  #takeStep(step: Step, room: number, order: number, frame: ShipFrameWriter): Piece {
    const change = this.#changeOf(step, room);
    if (change === null) return { step, to: Number.MAX_SAFE_INTEGER, isSent: false };
    frame.add({ partition: this.log.partition, epoch: this.log.attempt.epoch, stream: this.#stream, order, change });
    return { step, to: 'bytes' in change ? change.offset + change.bytes.length : 0, isSent: true };
  }

  /** The change that a step comes to now; null if its segment has left the log meanwhile. */
  #changeOf(step: Step, room: number): Change | null {
    if (step.kind === 'complete') return step;
    if (step.kind === 'free' || step.kind === 'truncate') {
      const { epoch: segmentEpoch, ...rest } = step;
      return { ...rest, segmentEpoch };
    }
    const { segment, from: offset } = step;
    const mine = this.log.segment(segment);
    if (mine === undefined) return null;
    const to = Math.min(step.to, offset + room);
    const bytes = this.log.source.segmentBytes(segment).subarray(offset, to);
    const piece = { segment, segmentEpoch: mine.epoch, offset, bytes };
    if (step.kind === 'repair') return { kind: 'repair', ...piece };
    return { kind: 'append', ...piece, committedBytes: to === step.to ? to : 0 };
  }

  /** The sections in flight were refused without effect, or are unknown to have had one: they are taken again. */
  putBack(): void {
    this.#pieces = [];
  }

  /** The sections in flight are durable. */
  acknowledge(): void {
    for (const piece of this.#pieces) this.#finish(piece);
    this.#pieces = [];
    this.#settle();
  }

  #finish(piece: Piece): void {
    const { step, to } = piece;
    if (piece.isSent) this.#order += 1;
    if (step.kind === 'append' && this.log.segment(step.segment) !== undefined) {
      this.#behindBytes -= to - step.from;
      this.#ackedBytes.set(step.segment, to);
    }
    if (step.kind === 'complete') this.#isComplete = step.completeEpoch !== 0;
    if (isCut(piece) && 'from' in step) step.from = to;
    else this.#nextStep += 1;
  }

  #settle(): void {
    if (this.#nextStep < this.#steps.length || !this.#isComplete) return;
    this.#damaged = NOTHING_DAMAGED;
    this.#wasComplete = true;
    this.#durableSeq = Math.max(this.#durableSeq, this.#goalSeq);
  }
}

/** Whether more of the step is to follow. */
function isCut({ step, to }: Piece): boolean {
  return 'to' in step && to < step.to;
}
