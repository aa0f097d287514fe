import { describe, expect, it } from '@jest/globals';
import { silentLogger, systemClock, systemRandom } from '@niobe/kernel';
import { freePort } from '@niobe/testing';
import { checkServer, connectNats } from './connect.ts';

describe('checkServer', () => {
  const good = { version: '2.12.0', max_payload: 8 * 1024 * 1024, jetstream: true };

  it('takes what is new enough and carries enough', () => {
    for (const version of ['2.12.0', '2.12.11', '2.15.2', '3.0.0', '2.13.0-beta.1', 'v2.12.1'])
      expect(() => checkServer({ ...good, version })).not.toThrow();
    expect(() => checkServer({ ...good, max_payload: 2 * 1024 * 1024 })).not.toThrow();
  });

  it('refuses the rest, saying what to install or set', () => {
    for (const version of ['2.11.9', '2.9.25', '1.20.0', 'git'])
      expect(() => checkServer({ ...good, version })).toThrow(
        expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('install 2.12.0') }),
      );
    expect(() => checkServer({ ...good, max_payload: 1024 * 1024 })).toThrow(/max_payload/);
    expect(() => checkServer({ ...good, jetstream: false })).toThrow(/jetstream block/);
  });
});

describe('connectNats', () => {
  it('says where nobody answered', async () => {
    const port = await freePort();
    const options = {
      servers: [`127.0.0.1:${port}`],
      name: 'test',
      deployment: 'test',
      replicas: 1,
      connectTimeoutMs: 300,
    } as const;
    await expect(
      connectNats({ ...options, clock: systemClock, random: systemRandom(), logger: silentLogger }),
    ).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(`127.0.0.1:${port} did not answer within 300 ms`),
    });
  });
});
