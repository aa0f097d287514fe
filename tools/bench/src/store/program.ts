import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { NiobeError } from '@niobe/kernel';

/** Figures by name, as a program printed them. */
export type Figures = Readonly<Record<string, number>>;

/**
 * Runs a program of `store/programs` in a process of its own and gives the figures of its last line, one line of JSON. For candidates
 * whose memory is measured, or that must not share a heap; large pages are on, as the images have them. Throws `UNAVAILABLE`.
 */
export async function runProgram(name: string, args: readonly (string | number)[] = []): Promise<Figures> {
  const program = join(import.meta.dirname, 'programs', `${name}.ts`);
  const flags = ['--conditions=@niobe/source', '--no-warnings', '--expose-gc'];
  const child = spawn(process.execPath, [...flags, program, ...args.map(String)], {
    env: { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  if (code === 0 && last.startsWith('{')) return JSON.parse(last) as Figures;
  throw new NiobeError('UNAVAILABLE', `the program ${name} ended with ${code}: ${output.slice(-500)}`);
}
