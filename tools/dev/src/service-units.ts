import { join } from 'node:path';
import { SERVICE_PROCESS_FLAGS } from '@niobe/service';
import { systemRandom } from '@niobe/kernel';
import { REPOSITORY } from './deployment-folder.ts';
import { startProcess } from './managed-process.ts';
import { dataFolder, type LocalFolders } from './local-folders.ts';
import { BACKUPS, type PortPlan } from './ports.ts';
import type { UnitSpec } from './supervised-unit.ts';

/** How each of Niobe's own processes is started. Everything they need to know is in their environment. */

export interface ServiceSurroundings {
  readonly plan: PortPlan;
  /** Folder of the deployment. */
  readonly deployment: string;
  readonly natsUrl: string;
  readonly kafkaBrokers: readonly string[];
  readonly folders: LocalFolders;
}

/** A service with the port of its HTTP server. */
export interface ServiceUnit extends UnitSpec {
  readonly port: number;
}

export function backupUnits(around: ServiceSurroundings): ServiceUnit[] {
  return around.plan.backups.map(({ name, port }) =>
    serviceUnit(around, 'backup', name, port, { NIOBE_DATA_DIR: dataFolder(around.folders, name) }),
  );
}

export function shardUnits(around: ServiceSurroundings): ServiceUnit[] {
  return around.plan.shards.map(({ name, port }) => serviceUnit(around, 'storage-shard', name, port));
}

export function ingestUnit(around: ServiceSurroundings): ServiceUnit {
  return serviceUnit(around, 'ingest', 'ingest', around.plan.ingest, { NIOBE_ROLES: 'collector' });
}

export function loaderUnit(around: ServiceSurroundings, port: number): ServiceUnit {
  return serviceUnit(around, 'ingest', 'loader', port, { NIOBE_ROLES: 'loader' });
}

export function traversalUnit(around: ServiceSurroundings): ServiceUnit {
  return serviceUnit(around, 'traversal', 'traversal', around.plan.traversal);
}

/** @param rebuildCubes cubes to be counted anew; asked for by the first process only, not by those that replace it. */
export function analyticsUnit(around: ServiceSurroundings, rebuildCubes: readonly string[]): ServiceUnit {
  const plain = serviceUnit(around, 'analytics', 'analytics', around.plan.analytics);
  const args = rebuildCubes.flatMap((cube) => ['--rebuild-cube', cube]);
  let first = true;
  return {
    ...plain,
    start: () => {
      const start =
        first && args.length > 0 ? serviceUnit(around, 'analytics', 'analytics', plain.port, {}, args) : plain;
      first = false;
      return start.start();
    },
  };
}

/** Other clicks at each start, or the graph of a system that goes on with its data would not grow. */
export function clicksUnit(folders: LocalFolders, collectorUrl: string, clicksPerSecond: number): UnitSpec {
  const seed = systemRandom().u32();
  const args = ['--url', collectorUrl, '--rate', String(clicksPerSecond), '--seed', String(seed)];
  return nodeUnit(folders, 'clickgen', 'tools/clickgen/src/main.ts', args, {});
}

function serviceUnit(
  around: ServiceSurroundings,
  app: string,
  name: string,
  port: number,
  more: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): ServiceUnit {
  const unit = nodeUnit(around.folders, name, `apps/${app}/src/main.ts`, args, {
    NIOBE_NAME: name,
    NIOBE_DEPLOYMENT: around.deployment,
    NIOBE_HTTP_PORT: String(port),
    NIOBE_NATS_URL: around.natsUrl,
    NIOBE_KAFKA_BROKERS: around.kafkaBrokers.join(','),
    NIOBE_BACKUPS: BACKUPS.join(','),
    ...more,
  });
  return { ...unit, port };
}

function nodeUnit(
  folders: LocalFolders,
  name: string,
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): UnitSpec {
  const logFile = join(folders.logs, `${name}.log`);
  return {
    name,
    logFile,
    start: () =>
      startProcess({
        name,
        command: process.execPath,
        args: [...SERVICE_PROCESS_FLAGS, '--conditions=@niobe/source', join(REPOSITORY, script), ...args],
        env: { ...process.env, ...env },
        logFile,
      }),
  };
}
