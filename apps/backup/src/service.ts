import type { Bus } from '@niobe/grid';
import type { Clock, Logger, Meter, NiobeError, Random } from '@niobe/kernel';
import { BackupServer, type BackupStore } from '@niobe/replication';
import type { RunningService } from '@niobe/service';

/** The backup service: one store behind one subject. Nothing here knows whether the store is a disk. */

export interface BackupConfig {
  /** Name of this backup server, such as `backup-0`. */
  readonly name: string;
  /** Name of the deployment. */
  readonly deployment: string;
}

/** What the service stands on. The store is closed with the service; the bus stays the caller's. */
export interface BackupParts {
  readonly bus: Bus;
  readonly backupStore: BackupStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  /** The disk failed: what is in memory may be ahead of it, so the process must end and start anew from what the disk has. */
  readonly onFailure: (error: NiobeError) => void;
}

/** Begins to answer the backup protocol. */
export function startBackup(config: BackupConfig, parts: BackupParts): Promise<RunningService> {
  const { bus, backupStore: store, clock, random, logger, meter, onFailure } = parts;
  for (const { message, ...where } of store.damage) logger.error({ ...where }, `damage found at the start: ${message}`);
  const server = new BackupServer({ ...config, bus, store, clock, random, logger, meter, onFailure });
  server.start();
  return Promise.resolve({
    readiness: () => readiness(server, bus),
    drain: async () => {
      await server.close();
      await store.close();
    },
  });
}

function readiness(server: BackupServer, bus: Bus): { ready: boolean; reason: string } {
  if (server.refusal !== null) return { ready: false, reason: server.refusal.message };
  if (bus.status() !== 'connected') return { ready: false, reason: 'NATS is not connected' };
  return { ready: true, reason: '' };
}
