import { assert } from '@niobe/kernel';
import type { Arena } from '../arena.ts';
import type { Segment } from '../segment.ts';

/** What an open snapshot keeps of its partition's memory. */
export interface Pin {
  /** Which of the partition's snapshots it is, counted from 1. */
  readonly moment: number;
  /** Monotonic milliseconds at which it was taken. */
  readonly takenAtMs: number;
  /** Pages the table no longer has and that no newer open snapshot sees. */
  readonly pages: number[];
  /** Released segments, likewise. */
  readonly segments: Segment[];
  /** Ends the snapshot. */
  end(): void;
}

/**
 * What the open snapshots of one partition still see of what it no longer needs.
 *
 * Time is counted in **moments**, the snapshots taken so far. A snapshot sees what was made before its moment and dropped at or after it.
 * What is dropped is listed with the newest open snapshot that sees it. Where that one ends, it goes on to the one before if that sees it
 * too, and else is free (as dead lists in ZFS). So a snapshot costs nothing when it is taken, and at its end as much as was dropped.
 */
export class Pins {
  readonly #arena: Arena;
  /** Oldest first. */
  readonly #open: Pin[] = [];
  #now = 0;
  #newest = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** The present moment. */
  get now(): number {
    return this.#now;
  }

  /** Moment of the newest open snapshot, 0 where none is open: what is older than it must not be changed. */
  get newest(): number {
    return this.#newest;
  }

  /** Open snapshots, oldest first. */
  get open(): readonly Pin[] {
    return this.#open;
  }

  /** Counts a snapshot. @param end ends it, which includes {@link remove} */
  add(takenAtMs: number, end: () => void): Pin {
    this.#now += 1;
    this.#newest = this.#now;
    const pin: Pin = { moment: this.#now, takenAtMs, pages: [], segments: [], end };
    this.#open.push(pin);
    this.#arena.snapshots.add(pin);
    return pin;
  }

  /** Frees what only this snapshot saw. O(what was dropped under it). */
  remove(pin: Pin): void {
    const at = this.#open.indexOf(pin);
    assert(at >= 0, 'a snapshot is removed once');
    this.#open.splice(at, 1);
    this.#newest = this.#open.at(-1)?.moment ?? 0;
    this.#arena.snapshots.remove(pin);
    const before = at === 0 ? null : this.#open[at - 1]!;
    for (const base of pin.pages) this.#passPage(base, before);
    for (const segment of pin.segments) this.#passSegment(segment, before);
  }

  /** Takes a page that the slot table no longer has. */
  dropPage(base: number): void {
    this.#arena.snapshots.heldPages += 1;
    this.#passPage(base, this.#open.at(-1) ?? null);
  }

  /** Takes a retired segment that nobody else needs. */
  dropSegment(segment: Segment): void {
    this.#arena.snapshots.heldBytes += segment.capacityBytes;
    this.#passSegment(segment, this.#open.findLast((pin) => pin.moment <= segment.retiredAt) ?? null);
  }

  #passPage(base: number, pin: Pin | null): void {
    const { slotPool, snapshots } = this.#arena;
    if (pin !== null && slotPool.bornAt(base) < pin.moment) {
      pin.pages.push(base);
      return;
    }
    snapshots.heldPages -= 1;
    slotPool.give(base);
  }

  #passSegment(segment: Segment, pin: Pin | null): void {
    if (pin !== null && segment.openedAt < pin.moment) {
      pin.segments.push(segment);
      return;
    }
    this.#arena.snapshots.heldBytes -= segment.capacityBytes;
    this.#arena.free(segment);
  }

  /** Ends the arena's oldest snapshot if snapshots hold pages; then it is worth to ask for a page again. */
  givePages(): boolean {
    return this.#arena.snapshots.givePages();
  }

  /** Ends all snapshots. */
  close(): void {
    while (this.#open.length > 0) this.#open[0]!.end();
  }
}
