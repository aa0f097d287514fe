/** getMany of 256 cells a message from a shard, beside a bare NATS echo that moves the same number of bytes each way. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '@niobe/kernel';
import { repositoryDir } from '@niobe/testing';
import { LocalSystem } from '@niobe/tool-check';
import type { BenchGroup } from './bench-group.ts';
import { GetLoad } from './get-load.ts';
import { interleaved } from './measure.ts';

const ROUNDS = 5;
const SECONDS = 3;
const CELLS_PER_MESSAGE = 256;
const OUTSTANDING = 16;

export const grid: BenchGroup = {
  summary: 'getMany of 256 cells a message, beside a bare NATS echo of the same bytes',
  async run({ rounds }) {
    const deploymentDir = join(repositoryDir, 'infra/deployments/retail');
    const system = await LocalSystem.create({ repositoryDir, deploymentDir });
    let echo: ChildProcess | null = null;
    try {
      await system.start([system.ingest, system.analytics]);
      echo = await startEcho(system.nats.address);
      const load = await GetLoad.open(system, CELLS_PER_MESSAGE);
      const bytes = await load.exchangeBytes();
      const rate = async (work: () => Promise<void>): Promise<number> => CELLS_PER_MESSAGE * (await closedLoop(work));
      const figures = await interleaved(
        rounds ?? ROUNDS,
        () => rate(() => load.getMany()),
        () => rate(() => load.echo(bytes)),
      );
      await load.close();
      const goal = { sense: 'at least', value: 0.5 } as const;
      return [
        {
          group: 'grid',
          measure: 'getMany, 256 a message',
          unit: 'cells/s',
          ...figures,
          against: 'bare NATS echo',
          goal,
        },
      ];
    } finally {
      echo?.kill('SIGKILL');
      await system.destroy();
    }
  },
};

async function startEcho(address: string): Promise<ChildProcess> {
  const responder = join(import.meta.dirname, 'echo-responder.ts');
  const child = spawn(process.execPath, ['--conditions=@niobe/source', responder, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

/** Keeps {@link OUTSTANDING} requests under way for {@link SECONDS}; requests a second. */
async function closedLoop(work: () => Promise<void>): Promise<number> {
  const startMs = systemClock.monotonicMs();
  let done = 0;
  const loop = async (): Promise<void> => {
    while (systemClock.monotonicMs() - startMs < SECONDS * 1_000) {
      await work();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: OUTSTANDING }, loop));
  return (done / (systemClock.monotonicMs() - startMs)) * 1_000;
}
