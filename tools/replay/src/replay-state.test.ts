import { readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ReplayState } from './replay-state.ts';

describe('ReplayState', () => {
  let folder: string;
  beforeEach(async () => void (folder = join(await mkdtemp(join(tmpdir(), 'niobe-state-')), 'retail')));
  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  const stateOf = (to: string, bytes: number): ReplayState =>
    new ReplayState(folder, { to, file: { bytes, crc: 0xff } });

  it('continues where the same file to the same destination was interrupted, and begins with any other', async () => {
    await stateOf('kafka', 10).write(500);
    await stateOf('kafka', 10).write(1_000);
    expect(await stateOf('kafka', 10).read()).toBe(1_000);
    expect(await stateOf('kafka', 11).read()).toBe(0);
    expect(await stateOf('collector', 10).read()).toBe(0);
    expect(readdirSync(folder)).toEqual(['kafka-10-000000ff.json']);
    await stateOf('kafka', 10).remove();
    expect(await stateOf('kafka', 10).read()).toBe(0);
  });

  it.each(['', '{', '{"rowsDone":-1}', '{"rowsDone":"7"}', '{"rowsDone":1.5}', 'null'])(
    'begins anew with %j',
    async (text) => {
      await stateOf('kafka', 10).write(1);
      writeFileSync(stateOf('kafka', 10).path, text);
      expect(await stateOf('kafka', 10).read()).toBe(0);
    },
  );
});
