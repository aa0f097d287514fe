/** Reference programs of other systems: each a folder with a `run`, whose last line of output is one line of JSON with its figures. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NiobeError } from '@niobe/kernel';
import { repositoryDir } from '@niobe/testing';

/** Figures by name, as the peer printed them. */
export type PeerFigures = Readonly<Record<string, number | string>>;

/** Folder of a peer below `NIOBE_PEERS` (default: `../shared/peers` beside the repository), or null where it is not there. */
function peerDir(name: string): string | null {
  const dir = join(resolve(repositoryDir, process.env['NIOBE_PEERS'] ?? '../shared/peers'), name);
  return existsSync(join(dir, 'run')) ? dir : null;
}

/** Runs a peer with its arguments and gives its figures; throws `UNAVAILABLE` with the end of its output when it fails. */
export async function runPeer(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<PeerFigures> {
  const dir = peerDir(name);
  if (dir === null)
    throw new NiobeError('UNAVAILABLE', `the peer ${name} is not there; set NIOBE_PEERS to the folder that has it`);
  const child = spawn(join(dir, 'run'), args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  const last = output
    .trimEnd()
    .split('\n')
    .findLast((line) => line.startsWith('{'));
  if (code === 0 && last !== undefined) return JSON.parse(last) as PeerFigures;
  throw new NiobeError('UNAVAILABLE', `the peer ${name} ended with ${code}: ${output.slice(-500)}`);
}
