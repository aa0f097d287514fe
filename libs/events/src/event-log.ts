/**
 * The event log as Niobe needs it: partitioned topics of records with offsets, produced with every replica's acknowledgement and
 * consumed by batch. Kafka is one (`@niobe/kafka`), {@link MemoryEventLog} its twin.
 *
 * A consumer's position is its own: nothing is delivered from a partition until `seek` says where to begin, and no offset is kept in
 * the group. At most one batch of a partition is in the handler at a time; a batch begins exactly where the one before it ended.
 */

/** Bytes, or text that is written as UTF-8. */
export type RecordBytes = Uint8Array | string;

/** Header name to value. */
export type RecordHeaders = Readonly<Record<string, Uint8Array>>;

/** A record to produce. */
export interface OutgoingRecord {
  /** Chosen by {@link partitionFor} of the key where absent. */
  readonly partition?: number;
  /** Null: any partition. */
  readonly key: RecordBytes | null;
  readonly value: RecordBytes | null;
  readonly headers?: Readonly<Record<string, RecordBytes>>;
}

/** What a topic must look like. Its records' timestamps are the time of arrival. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly retentionMs: number;
  /** Per partition; -1 has no bound. */
  readonly retentionBytes: number;
}

/** Offsets a partition still has: `earliest` up to, not including, `latest`. */
export interface PartitionOffsets {
  readonly earliest: number;
  readonly latest: number;
}

/** Consecutive records of one partition, by column. Owned by the handler. */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  /** The batch stands for offsets from here ... */
  readonly from: number;
  /** ... up to, not including, here. Some between may have no record: control records and compacted ones. */
  readonly to: number;
  readonly offsets: readonly number[];
  /** Time of arrival of each record in Unix ms. */
  readonly timestamps: readonly number[];
  readonly keys: readonly (Uint8Array | null)[];
  readonly values: readonly (Uint8Array | null)[];
  readonly headers: readonly RecordHeaders[];
  /** Offset the next record of the partition will get, as far as the consumer knows. */
  readonly highWatermark: number;
}

/** How to consume one topic as a member of a group. */
export interface ConsumerOptions {
  readonly group: string;
  readonly topic: string;
  /** At low rates a batch gathers for up to this long. */
  readonly gatherMs: number;
  /** Bound of what one fetch takes from a partition. */
  readonly maxBatchBytes: number;
  /** The member has these partitions now; each waits for its `seek`. A rebalance revokes all, then assigns anew. */
  onAssigned(partitions: readonly number[]): void;
  /** The member has these partitions no longer. A batch of one may still be in the handler. */
  onRevoked(partitions: readonly number[]): void;
  /** Handles a batch; the next of its partition waits for it. A rejection delivers the same offsets again after a pause. */
  onBatch(batch: RecordBatch): Promise<void>;
  /** A partition cannot go on by itself (`OFFSET_GONE`); it waits for a `seek`. */
  onFailed(partition: number, error: Error): void;
}

/** A running consumer. */
export interface EventConsumer {
  /** The next batch of `partition` begins at `offset`; one in the handler is not called back. */
  seek(partition: number, offset: number): void;
  /** Delivers nothing of `partition` until {@link EventConsumer.resume}. */
  pause(partition: number): void;
  resume(partition: number): void;
  /** Leaves the group; ends after the handlers that run, or without them after some seconds. */
  close(): Promise<void>;
}

/** Writes records. */
export interface EventProducer {
  /**
   * Ends when all replicas in sync have the records. Throws `UNAVAILABLE` when that did not happen within the deadline of the log: some
   * of them may have been written then or still be; `TOO_LARGE`; `CLOSED`.
   */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** See the head of this file. */
export interface EventLog {
  /**
   * Creates the topics that are missing. Throws `INCOMPATIBLE` if one exists with another number of partitions or without arrival
   * timestamps.
   */
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>;
  /** By partition. Throws `NOT_FOUND`, `UNAVAILABLE`. */
  offsets(topic: string): Promise<PartitionOffsets[]>;
  producer(): Promise<EventProducer>;
  /** Starts consuming in the background and never gives up; see {@link EventLog.status}. */
  consumer(options: ConsumerOptions): EventConsumer;
  /** Whether the log can be reached, and why not. */
  status(): { readonly ready: boolean; readonly reason: string };
  close(): Promise<void>;
}
