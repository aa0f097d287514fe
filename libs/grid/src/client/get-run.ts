import { assert, isNiobeError, NiobeError } from '@niobe/kernel';
import { CellState, GetReply } from '../frames/get.ts';
import { errorOf } from '../frames/failure.ts';
import { FRAME_BYTES, KEYS_PER_FRAME_MAX, SECTIONS_PER_FRAME_MAX } from '../limits.ts';
import type { KeyBatch } from './key-batch.ts';
import { Backoff, isWorthRetry, notServed } from './retry-policy.ts';
import type { ShardLink } from './shard-link.ts';
import type { ShardRouter } from './shard-router.ts';

/**
 * One read of many keys: rounds of frames, one or more to each shard, until every key is answered, refused for good, or the time is up.
 *
 * A round threads the open keys into a list per partition, so that a shard gets one section per partition without sorting. What a
 * reply leaves for later, and what was refused or lost in a way that a repetition may cure, goes to the next round.
 */

/** A key's answer; `error` is null where it was found or is absent. Called once per key. */
export type KeySettled = (index: number, error: NiobeError | null) => void;

/** Where a run puts what was found. */
export interface CellColumns {
  /** Bodies are of no interest. */
  readonly idsOnly: boolean;
  /** Takes the present cell of a reply as that of key `index`. */
  take(index: number, reply: GetReply): void;
}

const NONE = -1;

/** A frame under way: its keys in the order asked, cut in sections. */
interface Frame {
  readonly link: ShardLink;
  readonly order: number[];
  readonly sectionEnds: number[];
  /** How many of its keys have been answered. */
  answered: number;
  bytes: Uint8Array | null;
}

/** Runs a batch of keys; see {@link GetRun.run}. */
export class GetRun {
  readonly #router: ShardRouter;
  readonly #keys: KeyBatch;
  readonly #cells: CellColumns;
  readonly #settled: KeySettled;
  readonly #endMs: number;
  #open: number[] = [];
  #errors = new Map<number, NiobeError>();
  #wrongPrimaries = new Set<number>();
  #wishedMs = 0;
  #progressed = false;

  constructor(router: ShardRouter, keys: KeyBatch, cells: CellColumns, endMs: number, settled: KeySettled) {
    this.#router = router;
    this.#keys = keys;
    this.#cells = cells;
    this.#settled = settled;
    this.#endMs = endMs;
  }

  /** Resolves when every key has been settled. */
  async run(): Promise<void> {
    const backoff = new Backoff(this.#router.clock, this.#router.random, this.#endMs);
    let open: number[] = [];
    for (let index = 0; index < this.#keys.length; index++) open.push(index);
    while (open.length > 0) {
      open = await this.#round(open);
      if (open.length === 0) return;
      if (this.#errors.size === 0 && this.#progressed) continue;
      this.#router.retries.add(1);
      if (this.#wrongPrimaries.size > 0) await this.#router.refresh(this.#wrongPrimaries);
      if (!(await backoff.pause(this.#wishedMs))) return this.#giveUp(open);
    }
  }

  /** Sends the open keys once; returns those that are still open. */
  async #round(open: readonly number[]): Promise<number[]> {
    this.#open = [];
    this.#errors.clear();
    this.#wrongPrimaries.clear();
    this.#wishedMs = 0;
    this.#progressed = false;
    await Promise.all(this.#pack(open).map((frame) => this.#exchange(frame)));
    return this.#open;
  }

  #pack(open: readonly number[]): Frame[] {
    const heads = new Int32Array(this.#router.partitions).fill(NONE);
    const nexts = new Int32Array(this.#keys.length);
    for (let i = open.length - 1; i >= 0; i--) {
      const index = open[i]!;
      const partition = this.#keys.partitions[index]!;
      nexts[index] = heads[partition]!;
      heads[partition] = index;
    }
    const packer = new FramePacker(this.#router, this.#keys, this.#cells.idsOnly);
    for (let partition = 0; partition < heads.length; partition++) {
      const route = heads[partition] === NONE ? null : this.#router.route(partition);
      for (let index = heads[partition]!; index !== NONE; index = nexts[index]!) {
        if (route === null) this.#refused(index, notServed(partition));
        else packer.key(route.link, partition, route.epoch, index);
      }
    }
    return packer.finish();
  }

  async #exchange(frame: Frame): Promise<void> {
    this.#router.requests.add(1);
    try {
      const reply = new GetReply(await frame.link.send(frame.bytes!, this.#endMs, false));
      if (reply.sections !== frame.sectionEnds.length) throw unfitting();
      for (const end of frame.sectionEnds) this.#takeSection(reply, frame, end);
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      while (frame.answered < frame.order.length) this.#refused(frame.order[frame.answered++]!, error);
    }
  }

  /** Takes one section for the keys up to `end` in the frame's order. */
  #takeSection(reply: GetReply, frame: Frame, end: number): void {
    reply.nextSection();
    const { order } = frame;
    if (reply.partition !== this.#keys.partitions[order[frame.answered]!]) throw unfitting();
    if (reply.refusal === null && reply.cells !== end - frame.answered) throw unfitting();
    const error = reply.refusal === null ? null : errorOf(reply.refusal);
    while (frame.answered < end) {
      if (error === null) this.#takeCell(reply, order[frame.answered]!);
      else this.#refused(order[frame.answered]!, error);
      frame.answered += 1;
    }
  }

  #takeCell(reply: GetReply, index: number): void {
    reply.nextCell();
    if (reply.state === CellState.LATER) {
      this.#open.push(index);
      return;
    }
    if (reply.state === CellState.FOUND) this.#cells.take(index, reply);
    this.#progressed = true;
    this.#settled(index, null);
  }

  #refused(index: number, error: NiobeError): void {
    if (!isWorthRetry(error.code, true)) {
      this.#settled(index, error);
      return;
    }
    this.#open.push(index);
    this.#errors.set(index, error);
    this.#wishedMs = Math.max(this.#wishedMs, error.details.retryAfterMs ?? 0);
    if (error.code === 'NOT_PRIMARY') this.#wrongPrimaries.add(this.#keys.partitions[index]!);
  }

  #giveUp(open: readonly number[]): void {
    for (const index of open)
      this.#settled(
        index,
        this.#errors.get(index) ?? new NiobeError('DEADLINE', 'the time was up before the cell was read'),
      );
  }
}

/** Fills GET frames of several shards at once. */
class FramePacker {
  readonly #router: ShardRouter;
  readonly #keys: KeyBatch;
  readonly #idsOnly: boolean;
  readonly #filling = new Map<ShardLink, Frame>();
  readonly #full: Frame[] = [];
  #partition = NONE;
  #link: ShardLink | null = null;

  constructor(router: ShardRouter, keys: KeyBatch, idsOnly: boolean) {
    this.#router = router;
    this.#keys = keys;
    this.#idsOnly = idsOnly;
  }

  /** Keys of a partition come one after the other. */
  key(link: ShardLink, partition: number, epoch: number, index: number): void {
    let frame = this.#filling.get(link);
    if (frame !== undefined && isFull(frame)) {
      this.#close(frame);
      frame = undefined;
    }
    if (frame === undefined) frame = this.#begin(link);
    if (this.#partition !== partition || this.#link !== link) {
      this.#endSection();
      link.getFrame.beginSection(partition, epoch);
      [this.#partition, this.#link] = [partition, link];
    }
    const at = this.#keys.keyAt(index);
    link.getFrame.key(this.#keys.schemas[index]!.id, this.#keys.keys.buffer, at, this.#keys.keyEnds[index]! - at);
    frame.order.push(index);
  }

  finish(): Frame[] {
    for (const frame of this.#filling.values()) this.#close(frame);
    return this.#full;
  }

  #begin(link: ShardLink): Frame {
    const frame: Frame = { link, order: [], sectionEnds: [], answered: 0, bytes: null };
    this.#filling.set(link, frame);
    link.getFrame.start(this.#router.client, this.#idsOnly);
    return frame;
  }

  #endSection(): void {
    if (this.#link === null) return;
    const frame = this.#filling.get(this.#link)!;
    this.#link.getFrame.endSection();
    frame.sectionEnds.push(frame.order.length);
    this.#link = null;
  }

  #close(frame: Frame): void {
    if (this.#link === frame.link) this.#endSection();
    assert(frame.sectionEnds.at(-1) === frame.order.length, 'every section of a frame was ended');
    frame.bytes = frame.link.getFrame.finish();
    this.#full.push(frame);
    this.#filling.delete(frame.link);
  }
}

function isFull(frame: Frame): boolean {
  return (
    frame.link.getFrame.length >= FRAME_BYTES ||
    frame.order.length >= KEYS_PER_FRAME_MAX ||
    frame.sectionEnds.length >= SECTIONS_PER_FRAME_MAX - 1
  );
}

function unfitting(): NiobeError {
  return new NiobeError('MALFORMED', 'a reply does not fit the keys that were asked for');
}
