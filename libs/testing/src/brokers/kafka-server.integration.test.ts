import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { describeWithLocalKafka } from '../describe-when.ts';
import { isPortFree } from './free-port.ts';
import { kafkaServes } from './kafka-probe.ts';
import { startKafka, type KafkaServer } from './kafka-server.ts';

describeWithLocalKafka('startKafka', () => {
  let dataDir: string;
  let server: KafkaServer | undefined;

  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'niobe-kafka-'));
  });
  afterEach(() => server?.stop());
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it('starts a broker that serves, and again on its ports and folder after a kill', async () => {
    const first = await startKafka({ dataDir });
    expect(await kafkaServes(first.port)).toBe(true);
    await first.kill();
    expect(await isPortFree(first.port)).toBe(true);
    server = await startKafka({ dataDir, port: first.port, controllerPort: first.controllerPort });
    expect(await kafkaServes(server.port)).toBe(true);
    expect(server.pid).not.toBe(first.pid);
  });
});
