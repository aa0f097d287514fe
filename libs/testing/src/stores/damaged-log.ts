import { createHash } from 'node:crypto';
import { isNiobeError, ManualClock, seededRandom, type Random } from '@niobe/kernel';
import { Arena, PartitionStore, readBatches, type RecoveredSegment, type SegmentBatch } from '@niobe/store';
import { LogCopy } from './log-copy.ts';
import { KEYED_SCHEMA, KEYLESS_SCHEMA, sampleRecord, sampleSchemas, shapeOf } from './sample-cells.ts';
import { SpokenStore } from './spoken-store.ts';

/**
 * A log of which everything is known: what it holds after each commit, and which batch each byte belongs to. So for every change of its
 * bytes it can be said what a recovery must find.
 *
 * Its last batches lie above the durable length of their segments, and some of those segments have no durable byte at all. Cells were
 * overwritten, deleted and moved by the cleaner, so most bytes are dead; batches guard them all the same.
 */
export class DamagedLog {
  readonly segments: readonly RecoveredSegment[];
  readonly #batches: readonly LoggedBatch[];
  /** What the log holds, by the seq of the commit after which it does. */
  readonly #contentAfter: ReadonlyMap<number, string>;
  readonly #arena = new Arena({ bytes: ARENA_BYTES });

  constructor(seed: number) {
    const { segments, contentAfter } = writeLog(seededRandom(seed));
    this.segments = segments;
    this.#contentAfter = contentAfter;
    this.#batches = segments.flatMap(({ segment, bytes }) =>
      [...readBatches(bytes)].map((batch) => ({ ...batch, segment })),
    );
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** The n-th byte of the log: which segment, and where in it. */
  placeOf(nth: number): { readonly segment: RecoveredSegment; readonly at: number } {
    let at = nth;
    for (const segment of this.segments) {
      if (at < segment.bytes.length) return { segment, at };
      at -= segment.bytes.length;
    }
    throw new Error('the log has no such byte');
  }

  /**
   * Recovers the log with one segment's bytes replaced. Throws what is wrong with the outcome, if anything is.
   *
   * @param at the first byte that is not as it was
   */
  check(segment: RecoveredSegment, bytes: Uint8Array, at: number): DamageOutcome {
    const lost = this.#batchAt(segment.segment, at);
    const given = this.segments.map((one) => (one === segment ? { ...one, bytes } : one));
    const found = this.#recover(given);
    if (at < segment.durableBytes) {
      same(
        found,
        { damaged: { partition: PARTITION, segment: segment.segment, offset: lost.offset } },
        'durable bytes',
      );
      return 'damage';
    }
    const tail = { segment: segment.segment, offset: lost.offset, bytes: bytes.length - lost.offset };
    same(found, this.#expectedWithout(lost.seq, tail), 'bytes above the durable length');
    return 'cut';
  }

  /** Recovers the log with a damaged copy of a segment beside the whole one. */
  checkBesideWhole(segment: RecoveredSegment, bytes: Uint8Array): void {
    for (const given of [
      [...this.segments, { ...segment, bytes }],
      [{ ...segment, bytes }, ...this.segments],
    ])
      same(this.#recover(given), this.#expectedWithout(Infinity, null), 'a whole copy beside a damaged one');
  }

  #batchAt(segment: number, at: number): LoggedBatch {
    const batch = this.#batches.find(
      (one) => one.segment === segment && at < one.offset + one.bytes && at >= one.offset,
    );
    if (batch === undefined) throw new Error(`segment ${segment} has no batch at byte ${at}`);
    return batch;
  }

  /** Every batch from the lost one on is gone, wherever it lies. */
  #expectedWithout(lostSeq: number, tail: CutTail | null): Found {
    const kept = this.#batches.filter(({ seq }) => seq < lostSeq);
    const lastSeq = Math.max(...kept.map(({ seq }) => seq));
    const cutTails = this.segments
      .map(({ segment, bytes }) => {
        if (segment === tail?.segment) return tail;
        const offset = Math.min(bytes.length, ...this.#lostOf(segment, lostSeq).map((batch) => batch.offset));
        return { segment, offset, bytes: bytes.length - offset };
      })
      .filter((cut) => cut.bytes > 0)
      .sort((a, b) => a.segment - b.segment);
    return { content: this.#contentAfter.get(lastSeq)!, lastSeq, cutTails };
  }

  #lostOf(segment: number, lostSeq: number): LoggedBatch[] {
    return this.#batches.filter((batch) => batch.segment === segment && batch.seq >= lostSeq);
  }

  #recover(segments: readonly RecoveredSegment[]): Found {
    const options = {
      partition: PARTITION,
      epoch: EPOCH,
      arena: this.#arena,
      schemas: sampleSchemas(),
      firstSegment: 1,
    };
    try {
      const store = PartitionStore.recover({ ...options, clock: new ManualClock(), events: new LogCopy() }, segments);
      const { cutTails } = store.recovery!;
      store.audit();
      const found = { content: contentOf(new SpokenStore(store)), lastSeq: store.lastCommit().seq, cutTails };
      store.close();
      return found;
    } catch (error) {
      if (isNiobeError(error, 'DAMAGED')) return { damaged: error.details };
      throw error;
    }
  }
}

/** What became of damage: `damage` where it was refused, `cut` where the tail was. */
export type DamageOutcome = 'damage' | 'cut';

interface CutTail {
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
}

interface LoggedBatch extends SegmentBatch {
  readonly segment: number;
}

type Found =
  | { readonly damaged: object }
  | { readonly content: string; readonly lastSeq: number; readonly cutTails: readonly CutTail[] };

const PARTITION = 3;
const EPOCH = 1;
const ARENA_BYTES: number = 16 * 1024 * 1024;
const KEYS = 150;
const DURABLE_BATCHES = 400;
/** Enough to seal the segments that are open when the last durable batch is written. */
const LOOSE_BATCHES = 40;

function writeLog(random: Random): { segments: RecoveredSegment[]; contentAfter: Map<number, string> } {
  const copy = new LogCopy();
  const arena = new Arena({ bytes: ARENA_BYTES });
  const options = { partition: PARTITION, epoch: EPOCH, arena, schemas: sampleSchemas(), firstSegment: 1 };
  const store = new PartitionStore({ ...options, clock: new ManualClock(), events: copy });
  copy.store = store;
  const spoken = new SpokenStore(store);
  const contentAfter = new Map<number, string>();
  const ids: number[] = [];
  const note = (): void => void contentAfter.set(store.lastCommit().seq, contentOf(spoken));
  // So little memory is left that the cleaner has work.
  for (const bytes of [4, 2]) arena.open(999_999, bytes * 1024 * 1024, 'write', 0);
  for (let batch = 0; batch < DURABLE_BATCHES; batch++) {
    writeBatch(spoken, random, ids);
    note();
    for (let slices = 0; slices < 2; slices++) if (store.clean(1)) note();
    copy.ship();
  }
  const durable = new Map(copy.segments().map(({ segment, bytes }) => [segment, bytes.length]));
  for (let batch = 0; batch < LOOSE_BATCHES; batch++) {
    writeBatch(spoken, random, ids);
    note();
  }
  copy.ship();
  const segments = copy.segments().map((one) => ({ ...one, durableBytes: durable.get(one.segment) ?? 0 }));
  return { segments, contentAfter };
}

/** Some puts, deletes and cells without key, a new key now and then. */
function writeBatch(spoken: SpokenStore, random: Random, ids: number[]): void {
  spoken.batch(() => {
    for (let i = random.below(4); i >= 0; i--) {
      const key = `key ${random.below(KEYS)}`;
      const record = sampleRecord(key, random.below(100), random.below(12_000));
      const what = random.below(8);
      if (what < 5) spoken.put(KEYED_SCHEMA, key, record);
      else if (what === 5) spoken.delete(KEYED_SCHEMA, key);
      else if (what === 6 || ids.length === 0) ids.push(spoken.create(KEYLESS_SCHEMA, record));
      else spoken.remove(ids.splice(random.below(ids.length), 1)[0]!);
    }
    spoken.put(KEYED_SCHEMA, 'last', sampleRecord('last', random.u32()));
  });
}

/** A hash over all cells with their ids and versions. */
function contentOf(spoken: SpokenStore): string {
  const { store } = spoken;
  const hash = createHash('sha256');
  for (const schema of [KEYED_SCHEMA, KEYLESS_SCHEMA])
    spoken.each(schema, (slot) => {
      const version = [store.versionEpoch(slot), store.versionSeq(slot), store.expiresS(slot), store.idOf(slot)];
      hash.update(JSON.stringify([spoken.nameOf(schema, slot), version, shapeOf(spoken.recordOf(schema, slot))]));
    });
  return hash.digest('hex');
}

function same(found: Found, expected: Found, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: recovery gave ${a} where ${b} was expected`);
}
