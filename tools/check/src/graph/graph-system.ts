import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckOptions } from '../check.ts';
import { LocalSystem } from '../system/local-system.ts';

/** A running system of a deployment of the repository, with so many shards. */
export interface GraphSystem {
  readonly system: LocalSystem;
  readonly deploymentDir: string;
}

/** Starts a system, works on it and takes everything away again. Collector, loader and analytics have nothing to do there. */
export async function onGraphSystem<T>(
  options: Pick<CheckOptions, 'repositoryDir' | 'keep'>,
  deployment: string,
  shards: number,
  work: (running: GraphSystem) => Promise<T>,
): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), 'niobe-deployment-'));
  const deploymentDir = withShards(join(options.repositoryDir, 'infra/deployments', deployment), scratch, shards);
  const system = await LocalSystem.create({ repositoryDir: options.repositoryDir, deploymentDir });
  try {
    await system.start([system.ingest, system.loader, system.analytics]);
    return await work({ system, deploymentDir });
  } finally {
    if (options.keep) await system.killAll();
    else {
      await system.destroy();
      rmSync(scratch, { recursive: true });
    }
  }
}

/** A copy of a deployment with another list of shards. */
function withShards(original: string, scratch: string, shards: number): string {
  const copy = join(scratch, 'deployment');
  cpSync(original, copy, { recursive: true });
  const file = join(copy, 'deployment.json');
  const declaration = JSON.parse(readFileSync(file, 'utf8')) as object;
  const names = Array.from({ length: shards }, (_, i) => `shard-${i}`);
  writeFileSync(file, JSON.stringify({ ...declaration, shards: names }));
  return copy;
}
