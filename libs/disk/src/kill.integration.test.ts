import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seededRandom, systemClock, until } from '@niobe/kernel';
import { Scratch, SMALL } from '../fixtures/scratch.ts';
import { writerRound, WRITER_PARTITIONS } from '../fixtures/writer-rounds.ts';
import { DiskBackupStore } from './index.ts';

const WRITER = fileURLToPath(new URL('../fixtures/writer-process.ts', import.meta.url));
const KILLS = 8;
const ROUNDS_MAX = 150;
const SEED = 20_260_101;

/** A process that writes; `last` is the last round that it said was synced. */
class Writer {
  readonly child: ChildProcess;
  last = -1;
  isOpen = false;

  constructor(folder: string, first: number) {
    const args = ['--conditions=@niobe/source', WRITER, folder, String(first)];
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      if (line === 'open') this.isOpen = true;
      else this.last = Number(line);
    });
  }

  async reaches(round: number): Promise<void> {
    await until(systemClock, () => this.isOpen && this.last >= round, 60_000, `round ${round}`, 1);
  }

  /** Kills it, and reads the rest of what it had said. */
  async kill(): Promise<void> {
    const closed = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await closed;
  }
}

describe('A process that is killed while it writes', () => {
  let scratch: Scratch;
  beforeAll(async () => {
    scratch = await Scratch.make();
  });
  afterAll(async () => scratch.remove());

  it(`leaves all that it acknowledged, ${KILLS} times in a row`, async () => {
    const random = seededRandom(SEED);
    const folder = scratch.path('killed');
    let next = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = new Writer(folder, next);
      await writer.reaches(next + random.below(ROUNDS_MAX));
      await writer.kill();
      const store = await DiskBackupStore.open({ ...SMALL, folder });
      expect(store.damage).toEqual([]);
      next = await countRounds(store, writer.last);
      await store.close();
    }
    expect(next).toBeGreaterThan(KILLS);
  });

  it('has its folder to itself until it is dead', async () => {
    const folder = scratch.path('locked');
    const writer = new Writer(folder, 0);
    await writer.reaches(1);
    const open = (): Promise<DiskBackupStore> => DiskBackupStore.open({ ...SMALL, folder });
    await expect(open()).rejects.toMatchObject({ code: 'BAD_CONFIG', details: { pid: writer.child.pid } });
    await writer.kill();
    const store = await open();
    expect(store.holding(0).promised).not.toBeNull();
    await store.close();
  });
});

/** Checks every round up to the last acknowledged one, and says which one comes next: one more may be there. */
async function countRounds(store: DiskBackupStore, acknowledged: number): Promise<number> {
  for (let n = 0; n <= acknowledged; n++) await expectRound(store, n, true);
  const isOneMore = await expectRound(store, acknowledged + 1, false);
  return acknowledged + (isOneMore ? 2 : 1);
}

async function expectRound(store: DiskBackupStore, n: number, isExpected: boolean): Promise<boolean> {
  const partition = n % WRITER_PARTITIONS;
  const change = writerRound(n).find(([, { kind }]) => kind === 'append')![1];
  if (change.kind !== 'append') return false;
  const held = store.holding(partition).segments;
  const wasFreed = held.length > 0 && held[0]!.segment > change.segment;
  if (wasFreed) return true;
  const isHeld = held.some(({ segment, heldBytes }) => segment === change.segment && heldBytes > change.offset);
  if (!isHeld && !isExpected) return false;
  const bytes = await store.read(partition, change.segment, 1, change.offset, change.bytes.length);
  expect(Buffer.compare(bytes, change.bytes)).toBe(0);
  return true;
}
