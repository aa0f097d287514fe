import { existsSync, globSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { describeWithNats } from '../describe-when.ts';
import { brokerSources } from './broker-sources.ts';
import { natsInfo } from './nats-probe.ts';
import { useNats } from './test-broker.ts';

const portOf = (url: string): number => Number(new URL(url).port);

describeWithNats('useNats', () => {
  it('gives a NATS with JetStream and says where it came from', async () => {
    const broker = await useNats();
    expect(broker.description).toContain(brokerSources().nats.kind === 'docker' ? 'Docker' : brokerSources().nats.why);
    expect(await natsInfo(portOf(broker.address))).toMatchObject({ jetstream: true });
    await broker.stop();
  });

  it('removes the folder of a broker it started', async () => {
    const broker = await useNats();
    const folder = folderOf(portOf(broker.address));
    await broker.stop();
    expect(folder === undefined || !existsSync(folder)).toBe(true);
  });

  /** The configuration of the server on this port, where this machine runs it. */
  function folderOf(port: number): string | undefined {
    const configs = globSync(join(tmpdir(), 'niobe-broker-*', 'nats.conf'));
    return configs.find((path) => readFileSync(path, 'utf8').includes(`port: ${port}`));
  }
});
