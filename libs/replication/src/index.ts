export {
  sameAttempt,
  type Attempt,
  type BackupStore,
  type BackupStoreReport,
  type Catalogue,
  type Change,
  type CopyHolding,
  type DamageReport,
  type SegmentHolding,
  type Verdict,
} from './backup/backup-store.ts';
export { BackupClient } from './backup/backup-client.ts';
export { BackupServer, type BackupServerOptions } from './backup/backup-server.ts';
export { readHolding, writeHolding, type Registration } from './backup/copy-frames.ts';
export { CopyLedger, type Judgement } from './backup/copy-ledger.ts';
export { MemoryBackupStore } from './backup/memory-backup-store.ts';
export {
  BEHIND_BYTES_MAX,
  CATALOGUE_BYTES_MAX,
  OWNER_BYTES_MAX,
  PARTITIONS_MAX,
  READ_BYTES_MAX,
  ROUND_BYTES,
  SECTIONS_PER_FRAME_MAX,
  SEGMENT_BYTES_MAX,
  SHIP_FRAME_BYTES,
} from './limits.ts';
export type { LinkStatus } from './primary/backup-link.ts';
export { LogShipper, type LogShipperOptions, type ShippedPartition } from './primary/log-shipper.ts';
export { PartitionLog, type BaseSegment, type SegmentSource } from './primary/partition-log.ts';
export { recoverPartition, type PartitionRecovery, type RecoveryOptions } from './recovery/recover-partition.ts';
export type { SegmentDamage } from './recovery/segment-images.ts';
