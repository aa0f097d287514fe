import { NiobeError } from '@niobe/kernel';
import type { OutgoingRecord, TopicSpec } from './event-log.ts';

/** What every event log refuses in the same words. */

/** Bound of one record, as a broker has it. */
export const RECORD_BYTES_LIMIT = 1_048_576;

/** The refusal of a topic that exists otherwise than declared. */
export function anotherPartitionCount(spec: TopicSpec, present: number): NiobeError {
  return new NiobeError(
    'INCOMPATIBLE',
    `the topic ${spec.name} has ${present} partitions, declared are ${spec.partitions}: a key would move to another partition; ` +
      `declare ${present}, or choose another topic`,
    { present, declared: spec.partitions },
  );
}

/** Throws `TOO_LARGE` for a record above {@link RECORD_BYTES_LIMIT}. */
export function checkRecordSize(record: OutgoingRecord): void {
  const bytes = (record.value?.length ?? 0) + (record.key?.length ?? 0);
  if (bytes <= RECORD_BYTES_LIMIT) return;
  throw new NiobeError('TOO_LARGE', `a record of ${bytes} bytes exceeds ${RECORD_BYTES_LIMIT}`, {
    maxBytes: RECORD_BYTES_LIMIT,
  });
}

/** The refusal to pass silently over records that the log no longer, or never, had. */
export function offsetGone(
  topic: string,
  partition: number,
  offset: number,
  earliest: number,
  latest: number,
): NiobeError {
  return new NiobeError(
    'OFFSET_GONE',
    `the cursor of topic ${topic}, partition ${partition} is at offset ${offset}, but the log has ${earliest} to ${latest}: ` +
      `records were deleted before they were read, or the topic was made anew`,
    { topic, partition, offset, earliest, latest },
  );
}
