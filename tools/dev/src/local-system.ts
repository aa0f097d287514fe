import type { Deployment } from '@niobe/events';
import type { Clock } from '@niobe/kernel';
import type { ObservedService } from './observer.ts';
import type { DevOptions } from './options.ts';
import type { CommandUrls } from './paste-commands.ts';
import type { PortPlan } from './ports.ts';
import type { View } from './view.ts';

/** What it takes to start a local system. */
export interface SystemStart {
  readonly options: DevOptions;
  readonly deployment: Deployment;
  readonly deploymentFolder: string;
  readonly view: View;
  readonly clock: Clock;
  /** Aborted when the start is to be given up. */
  readonly stopping: AbortSignal;
}

/** A system that runs on this machine, as processes or embedded. */
export interface LocalSystem {
  /** Such as `7 processes, real NATS and Kafka`. */
  readonly title: string;
  /** Where people and tools ask. */
  readonly urls: CommandUrls;
  readonly services: readonly ObservedService[];
  /** Things worth knowing: where data and logs are. */
  readonly notes: readonly string[];
  /** Stops everything in order. */
  stop(): Promise<void>;
}

/** The deployment whose events the click generator makes. */
const CLICKS_DEPLOYMENT = 'shop';

/** Whether clicks are to be generated. */
export function wantsClicks({ options, deployment }: SystemStart): boolean {
  return options.clicks && deployment.name === CLICKS_DEPLOYMENT;
}

/** The product that the generated clicks buy most. */
export const MOST_CLICKED_KEY = 'p0000';

/** Where the services that answer people are. @param nats null where there is none. */
export function commandUrls({ ingest, analytics, traversal }: PortPlan, nats: string | null): CommandUrls {
  return { collector: httpUrl(ingest), analytics: httpUrl(analytics), traversal: httpUrl(traversal), nats };
}

/** Where an HTTP server of the local system is. */
export function httpUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}
