import { silentLogger, systemClock, systemRandom } from '@niobe/kernel';
import { busContract, describeWithLocalNats, KillableNats } from '@niobe/testing';
import { connectNats } from './connect.ts';

describeWithLocalNats('with nats-server', () => {
  busContract('NatsBus', async () => {
    const nats = await KillableNats.start();
    const options = {
      servers: [nats.url],
      name: 'test',
      deployment: 'test',
      replicas: 1,
      connectTimeoutMs: 10_000,
    } as const;
    const surroundings = { clock: systemClock, random: systemRandom(), logger: silentLogger };
    return {
      connect: async () => (await connectNats({ ...options, ...surroundings })).bus,
      cut: () => nats.kill(),
      mend: () => nats.restart(),
      close: () => nats.remove(),
    };
  });
});
