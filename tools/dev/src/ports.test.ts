import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@niobe/kernel';
import { portPlan, PORT_SPAN, refuseTakenPorts, serviceNeeds } from './ports.ts';

const MAPPING = { file: 'mappings/m.json', declaration: {} };

describe('ports', () => {
  it('gives the documented ports', () => {
    const plan = portPlan(7700, { shards: ['shard-0', 'shard-1'], mappings: [MAPPING] });
    expect(serviceNeeds(plan).map(({ name, port }) => `${name} ${port}`)).toEqual([
      'ingest 7700',
      'analytics 7710',
      'shard-0 7720',
      'shard-1 7721',
      'backup-0 7730',
      'backup-1 7731',
      'traversal 7760',
      'loader 7765',
    ]);
    expect([plan.nats, plan.kafka, plan.kafkaController]).toEqual([7740, 7750, 7751]);
  });

  it('has no loader where no event becomes a vertex or an edge', () => {
    const plan = portPlan(7700, { shards: ['shard-0'], mappings: [] });
    expect(plan.loader).toBeNull();
    expect(serviceNeeds(plan).map(({ name }) => name)).not.toContain('loader');
  });

  it('keeps to its span', () => {
    const ports = serviceNeeds(portPlan(7700, { shards: ['shard-0'], mappings: [MAPPING] })).map(({ port }) => port);
    expect(Math.max(...ports)).toBe(7700 + PORT_SPAN);
  });

  it('names the port that is taken, who needs it and what to do', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(refuseTakenPorts([{ port, name: 'analytics' }], systemClock)).rejects.toThrow(
      `port ${port} is taken, and analytics needs it: stop what listens there, or choose other ports with --port-base N`,
    );
    const patient = refuseTakenPorts([{ port, name: 'analytics' }], systemClock, 5_000);
    server.close();
    await once(server, 'close');
    await patient;
    await refuseTakenPorts([{ port, name: 'analytics' }], systemClock);
  });

  it('has no ports for more shards than there is room for', () => {
    const shards = Array.from({ length: 11 }, (_, index) => `shard-${index}`);
    expect(() => portPlan(7700, { shards, mappings: [] })).toThrow('the deployment has 11 shards; here run 10 at most');
  });
});
