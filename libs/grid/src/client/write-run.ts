import { assert, isNiobeError, NiobeError } from '@niobe/kernel';
import { errorOf } from '../frames/failure.ts';
import { WriteReply } from '../frames/write-reply.ts';
import type { AckCode } from '../frames/write-request.ts';
import { FRAME_BYTES, SECTIONS_PER_FRAME_MAX } from '../limits.ts';
import type { Version } from './cell-batch.ts';
import type { PreparedSection } from './prepared-section.ts';
import { Backoff, isUncertain, isWorthRetry, notServed } from './retry-policy.ts';
import type { ShardLink } from './shard-link.ts';
import type { ShardRouter } from './shard-router.ts';

/**
 * One bulk write: rounds of frames, one or more to each shard, until every section is taken, refused for good, or the time is up.
 *
 * A section with sources may be sent again after anything: if an attempt whose answer was lost has been taken, the shard answers
 * `OFFSET_MISMATCH` with exactly the offsets where the section ends, and that is success. A section without sources is sent again only
 * after answers that say that nothing was done.
 */

/** What became of a section. */
export interface SectionResult {
  /** Null where the section was taken. */
  readonly error: NiobeError | null;
  /** Version of the commit; null where the section was not taken, or taken by an earlier attempt whose answer was lost. */
  readonly commit: Version | null;
  /** The present offset of each source, where the shard told it. */
  readonly presentOffsets: readonly number[];
  /** The operation at fault, or -1. */
  readonly opIndex: number;
  /** The version of the cell of each operation, where they were asked for. */
  readonly versions: readonly Version[];
}

/** How a write is to be done. */
export interface WriteRunOptions {
  readonly ack: AckCode;
  readonly versionsWanted: boolean;
  /** Monotonic time at which the caller gives up. */
  readonly endMs: number;
}

/** A section's result; called once per section. */
export type SectionSettled = (index: number, result: SectionResult) => void;

interface Frame {
  readonly link: ShardLink;
  readonly order: number[];
  /** Any of its sections must not take effect twice: then the one attempt gets all the time there is. */
  patient: boolean;
}

/** Runs a bulk write; see {@link WriteRun.run}. */
export class WriteRun {
  readonly #router: ShardRouter;
  readonly #sections: readonly PreparedSection[];
  readonly #options: WriteRunOptions;
  readonly #settled: SectionSettled;
  /** 1 where an attempt may have been taken. */
  readonly #uncertain: Uint8Array;
  readonly #results: (SectionResult | null)[];
  #open: number[] = [];
  #wrongPrimaries = new Set<number>();
  #wishedMs = 0;

  constructor(
    router: ShardRouter,
    sections: readonly PreparedSection[],
    options: WriteRunOptions,
    settled: SectionSettled,
  ) {
    this.#router = router;
    this.#sections = sections;
    this.#options = options;
    this.#settled = settled;
    this.#uncertain = new Uint8Array(sections.length);
    this.#results = Array.from({ length: sections.length }, () => null);
  }

  /** Resolves when every section has been settled. */
  async run(): Promise<void> {
    const backoff = new Backoff(this.#router.clock, this.#router.random, this.#options.endMs);
    let open = Array.from(this.#sections, (_, index) => index);
    while (open.length > 0) {
      open = await this.#round(open);
      if (open.length === 0) return;
      this.#router.retries.add(1);
      if (this.#wrongPrimaries.size > 0) await this.#router.refresh(this.#wrongPrimaries);
      if (!(await backoff.pause(this.#wishedMs))) return this.#giveUp(open);
    }
  }

  /** Sends the open sections once; returns those that are still open. */
  async #round(open: readonly number[]): Promise<number[]> {
    this.#open = [];
    this.#wrongPrimaries.clear();
    this.#wishedMs = 0;
    await Promise.all(this.#send(open));
    return this.#open;
  }

  /** Puts the open sections in frames; a frame that is full goes out while the next one is filled. */
  #send(open: readonly number[]): Promise<void>[] {
    const filling = new Map<ShardLink, Frame>();
    const sent: Promise<void>[] = [];
    for (const index of open) {
      const section = this.#sections[index]!;
      const route = this.#router.route(section.partition);
      if (route === null) {
        this.#refused(index, notServed(section.partition), [], -1);
        continue;
      }
      const begun = filling.get(route.link);
      const fitting = begun !== undefined && fits(begun, section);
      if (begun !== undefined && !fitting) sent.push(this.#exchange(begun));
      const frame = fitting ? begun : this.#begin(route.link);
      filling.set(route.link, frame);
      append(frame, section, route.epoch, index);
    }
    for (const frame of filling.values()) sent.push(this.#exchange(frame));
    return sent;
  }

  #begin(link: ShardLink): Frame {
    link.writeFrame.start(this.#router.client, this.#options.ack, this.#options.versionsWanted);
    return { link, order: [], patient: false };
  }

  async #exchange(frame: Frame): Promise<void> {
    this.#router.requests.add(1);
    let answered = 0;
    try {
      const reply = new WriteReply(
        await frame.link.send(frame.link.writeFrame.finish(), this.#options.endMs, frame.patient),
      );
      if (reply.sections !== frame.order.length) throw unfitting();
      for (; answered < frame.order.length; answered++) this.#takeSection(reply, frame.order[answered]!);
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      for (; answered < frame.order.length; answered++) this.#refused(frame.order[answered]!, error, [], -1);
    }
  }

  #takeSection(reply: WriteReply, index: number): void {
    reply.nextSection();
    if (reply.partition !== this.#sections[index]!.partition) throw unfitting();
    if (reply.refusal === null) this.#settle(index, committed(reply));
    else this.#refused(index, errorOf(reply.refusal), reply.presentOffsets, reply.opIndex);
  }

  #refused(index: number, error: NiobeError, presentOffsets: readonly number[], opIndex: number): void {
    const { sourceEnds, partition } = this.#sections[index]!;
    const result = { error, commit: null, presentOffsets, opIndex, versions: [] };
    if (error.code === 'OFFSET_MISMATCH' && this.#uncertain[index] === 1 && sameOffsets(sourceEnds, presentOffsets)) {
      this.#settle(index, { ...result, error: null });
      return;
    }
    if (!isWorthRetry(error.code, sourceEnds.length > 0)) {
      this.#settle(index, result);
      return;
    }
    if (isUncertain(error.code)) this.#uncertain[index] = 1;
    this.#open.push(index);
    this.#results[index] = result;
    this.#wishedMs = Math.max(this.#wishedMs, error.details.retryAfterMs ?? 0);
    if (error.code === 'NOT_PRIMARY') this.#wrongPrimaries.add(partition);
  }

  #settle(index: number, result: SectionResult): void {
    this.#results[index] = result;
    this.#settled(index, result);
  }

  #giveUp(open: readonly number[]): void {
    for (const index of open) {
      const result = this.#results[index];
      assert(result != null, 'an open section has been refused before');
      this.#settled(index, result);
    }
  }
}

function fits(frame: Frame, section: PreparedSection): boolean {
  const { writeFrame } = frame.link;
  return writeFrame.length + section.content.length <= FRAME_BYTES && writeFrame.sections < SECTIONS_PER_FRAME_MAX;
}

function append(frame: Frame, section: PreparedSection, epoch: number, index: number): void {
  const { partition, sourceEnds, ops, content } = section;
  frame.link.writeFrame.preparedSection(partition, epoch, sourceEnds.length, ops, content);
  frame.order.push(index);
  frame.patient ||= sourceEnds.length === 0;
}

function committed(reply: WriteReply): SectionResult {
  const versions: Version[] = [];
  for (let i = 0; i < reply.versions; i++) versions.push({ epoch: reply.versionEpoch(i), seq: reply.versionSeq(i) });
  const commit = { epoch: reply.commitEpoch, seq: reply.commitSeq };
  return { error: null, commit, presentOffsets: reply.presentOffsets, opIndex: -1, versions };
}

function sameOffsets(ends: readonly number[], present: readonly number[]): boolean {
  return ends.length > 0 && ends.length === present.length && ends.every((end, i) => end === present[i]);
}

function unfitting(): NiobeError {
  return new NiobeError('MALFORMED', 'a reply does not fit the sections that were sent');
}
