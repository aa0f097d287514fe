import type { Deployment } from '@niobe/events';
import { delay, NiobeError, type Clock } from '@niobe/kernel';
import { isPortFree } from '@niobe/testing';

/** Which port each part of the local system listens on; all follow from one number. */

/** Port of the collector where `--port-base` is not given; the others lie above. */
export const DEFAULT_PORT_BASE = 7700;

/** Backup servers of a local system, in the order of their ports. */
export const BACKUPS = ['backup-0', 'backup-1'] as const;
/** Ports there are for the shards of a deployment. */
const SHARDS_MAX = 10;

export interface PortPlan {
  readonly ingest: number;
  readonly analytics: number;
  readonly shards: readonly PortNeed[];
  readonly backups: readonly PortNeed[];
  readonly nats: number;
  readonly kafka: number;
  readonly kafkaController: number;
  readonly traversal: number;
  /** Null for a deployment whose events become no graph. */
  readonly loader: number | null;
}

/** Highest offset from the base. */
export const PORT_SPAN = 65;

/** What of a deployment decides which services there are. */
type Parts = Pick<Deployment, 'shards' | 'mappings'>;

/** `BAD_REQUEST` for a deployment with more shards than there are ports for. */
export function portPlan(base: number, { shards, mappings }: Parts): PortPlan {
  if (shards.length > SHARDS_MAX) {
    throw new NiobeError('BAD_REQUEST', `the deployment has ${shards.length} shards; here run ${SHARDS_MAX} at most`);
  }
  return {
    ingest: base,
    analytics: base + 10,
    shards: shards.map((name, index) => ({ name, port: base + 20 + index })),
    backups: BACKUPS.map((name, index) => ({ name, port: base + 30 + index })),
    nats: base + 40,
    kafka: base + 50,
    kafkaController: base + 51,
    traversal: base + 60,
    loader: mappings.length === 0 ? null : base + PORT_SPAN,
  };
}

/** A port and who listens on it. */
export interface PortNeed {
  readonly port: number;
  readonly name: string;
}

/** Ports of the services. */
export function serviceNeeds(plan: PortPlan): PortNeed[] {
  return [
    { port: plan.ingest, name: 'ingest' },
    { port: plan.analytics, name: 'analytics' },
    ...plan.shards,
    ...plan.backups,
    { port: plan.traversal, name: 'traversal' },
    ...(plan.loader === null ? [] : [{ port: plan.loader, name: 'loader' }]),
  ];
}

/**
 * Throws one line naming the first port that is taken, who needs it and the option that changes it.
 * @param patienceMs how long a taken port may take to become free; above 0 where its owner was just ended.
 */
export async function refuseTakenPorts(needs: readonly PortNeed[], clock: Clock, patienceMs = 0): Promise<void> {
  const endMs = clock.monotonicMs() + patienceMs;
  for (const { port, name } of needs) {
    while (!(await isPortFree(port))) {
      if (clock.monotonicMs() >= endMs) throw portTaken(port, name);
      await delay(clock, POLL_MS);
    }
  }
}

const POLL_MS = 50;

function portTaken(port: number, name: string): NiobeError {
  return new NiobeError(
    'UNAVAILABLE',
    `port ${port} is taken, and ${name} needs it: stop what listens there, or choose other ports with --port-base N`,
  );
}
