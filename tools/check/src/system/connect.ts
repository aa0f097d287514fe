import { connectNats, type NatsGrid } from '@niobe/nats';
import { silentLogger, systemClock, systemRandom } from '@niobe/kernel';

const CONNECT_TIMEOUT_MS = 10_000;

/** The wire of a running deployment, as a tool joins it. */
export function connectAsTool(address: string, deployment: string): Promise<NatsGrid> {
  return connectNats({
    servers: [`nats://${address}`],
    name: 'niobe-tool',
    deployment,
    replicas: 1,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    clock: systemClock,
    random: systemRandom(),
    logger: silentLogger,
  });
}
