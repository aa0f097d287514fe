import type { RecordBatch, RecordHeaders } from '@niobe/events';
import type { EachBatchPayload, IHeaders, KafkaMessage } from 'kafkajs';

/** A batch as kafkajs fetched it. */
export type FetchedBatch = EachBatchPayload['batch'];

/** `batch` by column, from offset `from` on; it stands for the offsets up to `to`. */
export function toRecordBatch(batch: FetchedBatch, from: number, to: number): RecordBatch {
  const messages = batch.messages.filter((message) => Number(message.offset) >= from);
  return {
    topic: batch.topic,
    partition: batch.partition,
    from,
    to,
    offsets: messages.map((message) => Number(message.offset)),
    timestamps: messages.map((message) => Number(message.timestamp)),
    keys: messages.map((message) => message.key),
    values: messages.map((message) => message.value),
    headers: messages.map(headersOf),
    highWatermark: Number(batch.highWatermark),
  };
}

/** Of a header that appears more than once the first counts. */
function headersOf({ headers }: KafkaMessage): RecordHeaders {
  if (headers === undefined) return {};
  for (const name in headers) if (!Buffer.isBuffer(headers[name])) return plainHeaders(headers);
  return headers as Record<string, Buffer>;
}

function plainHeaders(headers: IHeaders): RecordHeaders {
  const plain: Record<string, Uint8Array> = {};
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) plain[name] = typeof first === 'string' ? Buffer.from(first) : first;
  }
  return plain;
}
