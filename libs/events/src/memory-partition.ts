import type { Clock } from '@niobe/kernel';
import type { OutgoingRecord, RecordBatch, RecordBytes, RecordHeaders, TopicSpec } from './event-log.ts';

interface StoredRecord {
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: RecordHeaders;
  readonly bytes: number;
}

/** Forgotten records are cut off when there are so many, so that forgetting one is O(1). */
const CUT_RECORDS = 4096;

const encoder = new TextEncoder();

/** One partition of the log in memory: records in order of offset, the oldest forgotten by size and age. */
export class MemoryPartition {
  readonly #spec: TopicSpec;
  readonly #clock: Clock;
  #records: StoredRecord[] = [];
  /** Records at the front of `#records` that are forgotten already. */
  #forgotten = 0;
  /** Offset of `#records[0]`. */
  #base = 0;
  #bytes = 0;

  constructor(spec: TopicSpec, clock: Clock) {
    this.#spec = spec;
    this.#clock = clock;
  }

  get earliest(): number {
    return this.#base + this.#forgotten;
  }

  get latest(): number {
    return this.#base + this.#records.length;
  }

  append(record: OutgoingRecord): void {
    const stored = store(record, this.#clock.nowMs());
    this.#records.push(stored);
    this.#bytes += stored.bytes;
    this.#forget();
  }

  /** The last record always stays. */
  #forget(): void {
    const { retentionBytes, retentionMs } = this.#spec;
    const oldestMs = this.#clock.nowMs() - retentionMs;
    while (this.#forgotten < this.#records.length - 1) {
      const first = this.#records[this.#forgotten]!;
      const tooMuch = retentionBytes >= 0 && this.#bytes > retentionBytes;
      if (!tooMuch && first.timestamp >= oldestMs) break;
      this.#bytes -= first.bytes;
      this.#forgotten += 1;
    }
    if (this.#forgotten >= CUT_RECORDS && this.#forgotten * 2 >= this.#records.length) {
      this.#records = this.#records.slice(this.#forgotten);
      this.#base += this.#forgotten;
      this.#forgotten = 0;
    }
  }

  /** Records from offset `from` of together at most `maxBytes`, but at least one; null if there is none. `from` is not forgotten. */
  read(topic: string, partition: number, from: number, maxBytes: number): RecordBatch | null {
    const start = from - this.#base;
    let end = start;
    let bytes = 0;
    while (end < this.#records.length && (end === start || bytes + this.#records[end]!.bytes <= maxBytes))
      bytes += this.#records[end++]!.bytes;
    if (end === start) return null;
    const records = this.#records.slice(start, end);
    return {
      topic,
      partition,
      from,
      to: this.#base + end,
      offsets: records.map((_, index) => from + index),
      timestamps: records.map((record) => record.timestamp),
      keys: records.map((record) => record.key),
      values: records.map((record) => record.value),
      headers: records.map((record) => record.headers),
      highWatermark: this.latest,
    };
  }
}

function store(record: OutgoingRecord, timestamp: number): StoredRecord {
  const key = encode(record.key);
  const value = encode(record.value);
  const headers: Record<string, Uint8Array> = {};
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, header] of Object.entries(record.headers ?? {})) {
    headers[name] = encode(header)!;
    bytes += name.length + headers[name].length;
  }
  return { timestamp, key, value, headers, bytes };
}

/** A copy: the caller may use its bytes again. */
function encode(bytes: RecordBytes | null): Uint8Array | null {
  if (bytes === null) return null;
  return typeof bytes === 'string' ? encoder.encode(bytes) : bytes.slice();
}
