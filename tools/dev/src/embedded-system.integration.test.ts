import { exec, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { readDeployment } from '@niobe/events';
import { systemClock, until } from '@niobe/kernel';
import { freePort, isPortFree } from '@niobe/testing';
import { REPOSITORY } from './deployment-folder.ts';
import { portPlan, PORT_SPAN, serviceNeeds } from './ports.ts';

interface AlsoBought {
  readonly vertices: readonly { readonly key: string; readonly count: number }[];
}

const LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 5_000;

/** A launcher as a newcomer starts it, with what it printed. */
interface Launcher {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;
  readonly ports: readonly number[];
  output: string;
}

describe('npm start -- --embedded', () => {
  let launched: ChildProcess[] = [];
  afterEach(() => {
    for (const child of launched) child.kill('SIGKILL');
    launched = [];
  });

  const launch = async (base: number): Promise<Launcher> => {
    const deployment = await readDeployment(join(REPOSITORY, 'infra/deployments/shop'));
    const script = join(REPOSITORY, 'tools/dev/src/main.ts');
    const args = ['--conditions=@niobe/source', script, '--embedded', '--port-base', String(base), '--rate', '100'];
    const child = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' } });
    launched.push(child);
    const ports = serviceNeeds(portPlan(base, deployment)).map((need) => need.port);
    const launcher: Launcher = { child, exited: once(child, 'exit'), ports, output: '' };
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (launcher.output += String(text)));
    return launcher;
  };

  /** The command that is printed below `title`. */
  const command = ({ output }: Launcher, title: string): string => {
    const lines = output.split('\n');
    return lines[lines.indexOf(title) + 1]!.trim();
  };
  const run = async (line: string): Promise<unknown> => JSON.parse((await promisify(exec)(line)).stdout);
  const orders = async (launcher: Launcher): Promise<number> => {
    const { rows } = (await run(command(launcher, 'see it counted:'))) as { rows: { orders: number }[] };
    return rows[0]?.orders ?? 0;
  };

  it('counts, follows and searches by the commands it prints, shows flow, and leaves nothing behind', async () => {
    const launcher = await launch(await freeBase());
    await until(
      systemClock,
      () => /^ready in \d+\.\d s: .*data is in memory only/m.test(launcher.output),
      LIMIT_MS,
      'ready',
    );
    await until(systemClock, () => launcher.output.includes('ask a cube:'), LIMIT_MS, 'the commands');

    const before = await orders(launcher);
    expect(await run(command(launcher, 'post an event:'))).toEqual({ id: expect.any(String) });
    await until(systemClock, async () => (await orders(launcher)) === before + 1, ANSWER_LIMIT_MS, 'the count');
    await until(
      systemClock,
      async () => ((await run(command(launcher, 'ask a cube:'))) as { rows: unknown[] }).rows.length === 5,
      LIMIT_MS,
      'five products with clicks',
    );

    const { stdout: events } = await promisify(exec)(`${command(launcher, 'follow it live:')} --max-time 3 || true`);
    const pages = events.split('\n\n').filter((event) => event.startsWith('data: {"rows":[{'));
    expect(new Set(pages).size).toBeGreaterThan(1);

    let also: AlsoBought = { vertices: [] };
    const search = async (): Promise<boolean> => {
      also = (await run(command(launcher, 'who purchased p0000 also purchased:'))) as AlsoBought;
      return also.vertices.length === 5;
    };
    await until(systemClock, search, LIMIT_MS, 'five products that were bought with p0000', 200);
    expect(also.vertices.map(({ key }) => key)).not.toContain('p0000');
    const counts = also.vertices.map(({ count }) => count);
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));

    launcher.child.kill('SIGINT');
    expect(await launcher.exited).toEqual([0, null]);
    expect(launcher.output.trimEnd().endsWith('stopped')).toBe(true);
    expect(await Promise.all(launcher.ports.map(isPortFree))).toEqual(launcher.ports.map(() => true));
  });

  it('refuses a taken port in one line', async () => {
    const base = await freeBase();
    const first = await launch(base);
    await until(systemClock, () => first.output.includes('ready in'), LIMIT_MS, 'ready');
    const second = await launch(base);
    expect(await second.exited).toEqual([1, null]);
    expect(second.output).toMatch(
      /^niobe: port \d+ is taken, and ingest needs it: stop what listens there, or choose other ports with --port-base N\n$/,
    );
  });
});

/** A port with room for the others above it. */
async function freeBase(): Promise<number> {
  for (;;) {
    const base = await freePort();
    const span = Array.from({ length: PORT_SPAN + 1 }, (_, offset) => base + offset);
    if (base + PORT_SPAN < 65_536 && (await Promise.all(span.map(isPortFree))).every(Boolean)) return base;
  }
}
