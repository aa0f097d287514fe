import type { Deployment } from '@niobe/events';
import type { Bus, SharedMaps } from '@niobe/grid';
import { NiobeError } from '@niobe/kernel';
import type { RunningService } from '@niobe/service';
import { startCollector, type CollectorParts } from './collector/start-collector.ts';
import { startLoader } from './loader/start-loader.ts';

/** The ingest service: a collector in front of the event log, a loader behind it, or both in one process. */

/** What an ingest process can do. */
export const ROLES: readonly ['collector', 'loader'] = ['collector', 'loader'];

/** What an ingest process does. */
export type IngestRole = (typeof ROLES)[number];

/** What the service is to do. */
export interface IngestConfig {
  readonly deployment: Deployment;
  readonly roles: readonly IngestRole[];
}

/** What the service stands on; all of it stays the caller's to close. */
export interface IngestParts extends CollectorParts {
  /** The grid, for the loader; null where there is none to load into. */
  readonly grid: { readonly bus: Bus; readonly maps: SharedMaps } | null;
}

/** Whether an ingest process with these roles loads: a deployment without mappings has nothing to load. */
export function loads({ deployment, roles }: IngestConfig): boolean {
  return roles.includes('loader') && deployment.mappings.length > 0;
}

/** Starts what the roles name. Throws `BAD_CONFIG` where that would be nothing, or where the loader has no grid. */
export async function startIngest(config: IngestConfig, parts: IngestParts): Promise<RunningService> {
  const { deployment, roles } = config;
  const services: RunningService[] = [];
  if (roles.includes('collector')) services.push(await startCollector(deployment, parts));
  if (loads(config)) {
    if (parts.grid === null) throw new NiobeError('BAD_CONFIG', 'the loader needs the grid');
    services.push(await startLoader(deployment, { ...parts, ...parts.grid }));
  }
  if (services.length === 0)
    throw new NiobeError(
      'BAD_CONFIG',
      `the deployment ${deployment.name} has no mappings, so there is nothing to load`,
    );
  return joined(services);
}

/** Several services as one: it is ready when all are, and drained in order, so that nothing comes in while the rest ends. */
function joined(services: readonly RunningService[]): RunningService {
  return {
    readiness: () => {
      for (const service of services) {
        const readiness = service.readiness();
        if (!readiness.ready) return readiness;
      }
      return { ready: true, reason: '' };
    },
    drain: async () => {
      for (const service of services) await service.drain();
    },
    routes: async (app) => {
      for (const service of services) await service.routes?.(app);
    },
  };
}
