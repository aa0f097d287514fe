export {
  DEFAULT_SOURCE,
  IDENTITY_BYTES_LIMIT,
  isBinaryMode,
  isJsonType,
  SPEC_VERSION,
  type HttpHeaders,
} from './cloud-event.ts';
export { deadLetter } from './dead-letter.ts';
export {
  DEAD_SUFFIX,
  type DeduplicationWindow,
  type Deployment,
  type DeploymentFile,
  type RawDeclaration,
  type RecordFormat,
  type TopicDeclaration,
} from './deployment-declaration.ts';
export { deadTopic, EventCatalogue, topicSpecs } from './event-catalogue.ts';
export type { EventFieldDeclaration, EventFieldType, EventTypeDeclaration } from './event-declaration.ts';
export type {
  ConsumerOptions,
  EventConsumer,
  EventLog,
  EventProducer,
  OutgoingRecord,
  PartitionOffsets,
  RecordBatch,
  RecordBytes,
  RecordHeaders,
  TopicSpec,
} from './event-log.ts';
export { parseTime } from './event-time.ts';
export { EventType, type EventField, type UnknownFields } from './event-type.ts';
export { FUTURE_LIMIT_MS } from './event-window.ts';
export type { EventScalar, EventValue } from './field-reader.ts';
export { anotherPartitionCount, checkRecordSize, offsetGone, RECORD_BYTES_LIMIT } from './log-errors.ts';
export { MemoryEventLog, type MemoryEventLogOptions } from './memory-event-log.ts';
export { murmur2, partitionFor } from './partitioner.ts';
export { readDeployment } from './read-deployment.ts';
export { RecordReader, type ReadEvent } from './record-reader.ts';
export { EVENT_BYTES_LIMIT, RecordWriter, type AcceptedEvent } from './record-writer.ts';
