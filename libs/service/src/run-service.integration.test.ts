import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { systemClock, until } from '@niobe/kernel';
import { EXIT } from './exit-codes.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/service-process.ts', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  output(): string;
}

function run(environment: Record<string, string>, args: string[] = []): Run {
  const child = spawn(process.execPath, ['--conditions=@niobe/source', '--no-warnings', FIXTURE, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...environment }, // oxlint-disable-line node/no-process-env -- the child needs the path alone
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const exit = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return { child, exit, output: () => output };
}

const portOf = async (service: Run): Promise<number> => {
  await until(systemClock, () => service.output().includes('"started"'), 20_000, 'the start');
  return Number(/"port":(\d+)/.exec(service.output())?.[1]);
};

describe('runService', () => {
  it('prints its variables and ends', async () => {
    const service = run({}, ['--help']);
    expect(await service.exit).toBe(EXIT.ok);
    expect(service.output()).toMatch(/FIXTURE_MODE +what the service does \(required\)/);
  });

  it('says everything that is wrong with the environment at once', async () => {
    const service = run({ NIOBE_HTTP_PORT: 'x', NIOBE_LOG_LEVEL: 'loud' });
    expect(await service.exit).toBe(EXIT.configuration);
    const lines = service.output().trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines)
      expect(line).toMatch(/^fixture: BAD_CONFIG: (NIOBE_HTTP_PORT|NIOBE_LOG_LEVEL|FIXTURE_MODE)/);
  });

  it('serves, drains on SIGTERM and ends with 0', async () => {
    const service = run({ FIXTURE_MODE: 'good' });
    const port = await portOf(service);
    expect(await (await fetch(`http://127.0.0.1:${port}/hello`)).json()).toEqual({ hello: 'world' });
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(page).toContain('niobe_fixture_event_loop_delay_seconds_bucket');
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(EXIT.ok);
    expect(service.output()).toContain('"stopped"');
  });

  it('ends at once on a second signal', async () => {
    const service = run({ FIXTURE_MODE: 'stuck' });
    await portOf(service);
    service.child.kill('SIGINT');
    await until(systemClock, () => service.output().includes('"draining"'), 10_000, 'the drain');
    service.child.kill('SIGINT');
    expect(await service.exit).toBe(130);
  });

  it('ends with 0 when a signal comes during start-up', async () => {
    const service = run({ FIXTURE_MODE: 'wait' });
    await until(systemClock, () => service.output().includes('"starting"'), 20_000, 'the probes');
    const port = /"port":(\d+)/.exec(service.output())?.[1];
    expect(await (await fetch(`http://127.0.0.1:${port}/startupz`)).json()).toMatchObject({
      detail: 'waiting for a signal',
    });
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(EXIT.ok);
  });

  it('gives the exit code of the cause: refused declarations, a bug, a taken port', async () => {
    const refused = run({ FIXTURE_MODE: 'refuse' });
    expect(await refused.exit).toBe(EXIT.configuration);
    expect(refused.output()).toContain('fixture: INCOMPATIBLE: field price: other scale');
    const crashed = run({ FIXTURE_MODE: 'crash' });
    expect(await crashed.exit).toBe(EXIT.software);
    expect(crashed.output()).toContain('uncaught error');
    const holder = createServer().listen(0, '127.0.0.1');
    await until(systemClock, () => holder.listening, 5_000, 'a listening port');
    const { port } = holder.address() as { port: number };
    const late = run({ FIXTURE_MODE: 'good', NIOBE_HTTP_PORT: String(port) });
    expect(await late.exit).toBe(EXIT.unavailable);
    expect(late.output().trim()).toBe(
      `fixture: UNAVAILABLE: port ${port} of 127.0.0.1 is taken by another process: free it or set NIOBE_HTTP_PORT`,
    );
    holder.close();
  });
});
