import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { describeWithLocalNats } from '../describe-when.ts';
import { isPortFree } from './free-port.ts';
import { natsInfo } from './nats-probe.ts';
import { startNats, type NatsServer } from './nats-server.ts';

describeWithLocalNats('startNats', () => {
  let dataDir: string;
  let server: NatsServer | undefined;

  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'niobe-nats-'));
  });
  afterEach(() => server?.stop());
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it('starts a server with JetStream of the version set-up found', async () => {
    server = await startNats({ dataDir });
    expect(await natsInfo(server.port)).toMatchObject({ jetstream: true, version: server.version });
  });

  it('restarts on the same port and folder after a kill', async () => {
    const first = await startNats({ dataDir });
    await first.kill();
    expect(await isPortFree(first.port)).toBe(true);
    server = await startNats({ dataDir, port: first.port });
    expect(server.url).toBe(first.url);
    expect(server.pid).not.toBe(first.pid);
  });

  it('names a port that is taken', async () => {
    server = await startNats({ dataDir });
    await expect(startNats({ dataDir, port: server.port })).rejects.toThrow(
      `port ${server.port} of 127.0.0.1 is taken`,
    );
  });

  it('stops twice without harm, also when paused', async () => {
    server = await startNats({ dataDir });
    server.pause();
    await server.stop();
    await server.stop();
    expect(await isPortFree(server.port)).toBe(true);
  });
});
