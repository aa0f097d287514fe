export type { Bus, BusMessage, BusStatus, RequestOptions, Subscription } from './bus.ts';
export type { Cell, CellBatch, Version } from './client/cell-batch.ts';
export {
  GridClient,
  type BulkOptions,
  type GridClientOptions,
  type ReadOptions,
  type ScanOptions,
  type WriteOptions,
} from './client/grid-client.ts';
export { NO_CELL } from './client/id-batch.ts';
export { joinGrid, JoinedGrid, type JoinParts } from './client/join-grid.ts';
export { SECTION_BYTES_MAX, SectionBuilder, type PreparedSection } from './client/prepared-section.ts';
export type { ScanPage } from './client/scan-run.ts';
export type { SectionResult } from './client/write-run.ts';
export { checkFacts, FactsRow, newFacts, parseFacts, STORAGE_FORMAT, type Facts } from './facts.ts';
export {
  errorOf,
  failureFrame,
  malformedFrame,
  readRefusal,
  refusalOf,
  writeRefusal,
  type Refusal,
} from './frames/failure.ts';
export { CellState, GetFrameBuilder, GetReply, GetReplyBuilder, GetRequest } from './frames/get.ts';
export { FrameKind, PROTOCOL, stampRequest, type FrameKindCode, type RequestHeader } from './frames/header.ts';
export { memoryFrame, memoryReply, readMemoryReply, readMemoryRequest, type MemoryRequest } from './frames/memory.ts';
export {
  ScanReply,
  ScanReplyBuilder,
  ScanRequest,
  scanFrame,
  type ScanPosition,
  type ScanWish,
} from './frames/scan.ts';
export { WriteReply, WriteReplyBuilder } from './frames/write-reply.ts';
export {
  Ack,
  OpKind,
  WriteFrameBuilder,
  writeOp,
  WriteRequest,
  writeSource,
  type AckCode,
  type OpKindCode,
} from './frames/write-request.ts';
export {
  FRAME_BYTES,
  FRAME_BYTES_MAX,
  KEYS_PER_FRAME_MAX,
  LINK_IDS_MAX,
  MAP_KEY_BYTES_MAX,
  MAP_VALUE_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  REPLY_BYTES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  SECTIONS_PER_FRAME_MAX,
  WAITING_BYTES_MAX,
  WINDOW_BYTES,
  WINDOW_REQUESTS,
} from './limits.ts';
export { checkKey, encodeValue } from './map-row.ts';
export { MemoryBus, MemoryNetwork, type MemoryNetworkOptions, type NetworkFaults } from './memory-bus.ts';
export { MemoryShard, type MemoryPartition, type MemoryShardOptions } from './memory-shard.ts';
export { MemorySharedMaps } from './memory-shared-maps.ts';
export { EPOCH_MAX, parsePartitionRow, type PartitionPhase, type PartitionRow } from './partition-row.ts';
export { PartitionTable, type PartitionTableOptions } from './partition-table.ts';
export { PARTITION_HASH, PARTITIONS, rendezvousShard } from './placement.ts';
export {
  parseCatalogueSnapshot,
  SchemaCatalogue,
  type CatalogueSnapshot,
  type SchemaCatalogueOptions,
  type SchemaRow,
} from './schema-catalogue.ts';
export type { MapEntry, MapValue, ParseRow, SharedMap, SharedMaps, Watch, WatchListener } from './shared-map.ts';
export { backupSubject, shardSubject } from './subjects.ts';
export {
  CURSOR_SCHEMA,
  CURSOR_SCHEMA_ID,
  EDGE_CHUNK_IDS_MAX,
  EDGE_CHUNK_SCHEMA,
  EDGE_CHUNK_SCHEMA_ID,
  FIRST_SCHEMA_ID,
  SEEN_SCHEMA,
  SEEN_SCHEMA_ID,
  SYSTEM_SCHEMAS,
} from './system-schemas.ts';
