export { Arena, type ArenaOptions, type ArenaReport, type Purpose } from './arena.ts';
export { ArenaCleaner } from './arena-cleaner.ts';
export { SCAN_END } from './cell-reader.ts';
export { type WriteStatus } from './cell-writer.ts';
export { noEvents, type StoreEvents } from './events.ts';
export type { IndexedReader, IndexReport } from './indexes/indexed-reader.ts';
export type { OrderedRange } from './indexes/ordered-walk.ts';
export type { ScanExplanation, ScanPlan } from './indexes/scan-plan.ts';
export { BATCH_BYTES_MAX, BLOCK_BYTES, SEGMENT_BYTES_MIN, SEGMENT_FORMAT } from './limits.ts';
export type { CommitVersion, PartitionStoreOptions } from './partition-options.ts';
export { PartitionStore } from './partition-store.ts';
export type { RecoveredSegment } from './recovered-copies.ts';
export type { CutTail, RecoveryReport } from './recovery.ts';
export type {
  DictionaryMemory,
  FieldMemory,
  LargeCell,
  MemoryReport,
  SchemaMemory,
  SnapshotMemory,
} from './report/memory-report.ts';
export { LARGEST_MAX, MemorySurvey } from './report/memory-survey.ts';
export { formatOf } from './segment-format.ts';
export {
  readBatches,
  readEnd,
  readStart,
  type SegmentBatch,
  type SegmentEnd,
  type SegmentEntry,
  type SegmentStart,
} from './segment-reader.ts';
export type { SegmentInfo } from './segment.ts';
export { diffSnapshots, type SnapshotDiff } from './snapshot/diff.ts';
export { type SnapshotPolicy } from './snapshot/open-snapshots.ts';
export { type SharedSchema, type SharedSnapshot } from './snapshot/shared-snapshot.ts';
export { type Snapshot } from './snapshot/snapshot.ts';
export { SnapshotReader } from './snapshot/snapshot-reader.ts';
export { validPrefix, type ValidPrefix } from './valid-prefix.ts';
