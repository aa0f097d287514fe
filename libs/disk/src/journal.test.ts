import { mkdir, stat, truncate } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pattern, readBytes, Scratch } from '../fixtures/scratch.ts';
import { Journal, partFile, type JournalOptions } from './journal.ts';
import { BLOCK_BYTES, PART_HEADER_BYTES } from './limits.ts';

const ROUND = pattern(BLOCK_BYTES, 1);

describe('Journal', () => {
  let scratch: Scratch;
  let options: JournalOptions;
  let journal: Journal;

  /** Parts of two rounds each. */
  beforeEach(async () => {
    scratch = await Scratch.make();
    await mkdir(scratch.path('journal'));
    const partBytes = PART_HEADER_BYTES + 2 * BLOCK_BYTES;
    options = { folder: scratch.path('journal'), identity: pattern(16, 2), partBytes, partsMax: 2 };
    journal = await Journal.open(options);
  });
  afterEach(async () => {
    await journal.close();
    await scratch.remove();
  });

  async function append(...rounds: number[]): Promise<void> {
    for (const round of rounds) await journal.append(round, ROUND);
  }

  it('has a part of its full length before the first round', async () => {
    expect((await stat(partFile(options.folder, 0))).size).toBe(options.partBytes);
    expect([journal.hasRoom(2 * BLOCK_BYTES), journal.hasRoom(2 * BLOCK_BYTES + 1)]).toEqual([true, false]);
  });

  it('does not write over rounds that were not released', async () => {
    await append(1, 2);
    expect(await journal.rotate()).toBe(true);
    await append(3, 4);
    expect(await journal.rotate()).toBe(false);
    journal.release(2);
    expect(await journal.rotate()).toBe(false);
    journal.release(3);
    expect(journal.usedBytes).toBe(options.partBytes);
    expect(await journal.rotate()).toBe(true);
    await journal.append(5, pattern(BLOCK_BYTES, 9));
    expect((await readBytes(partFile(options.folder, 0))).subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)).toEqual(
      pattern(BLOCK_BYTES, 9),
    );
    expect(await journal.rotate()).toBe(false);
  });

  it('begins the same part again where all of it was released', async () => {
    await append(1, 2);
    journal.release(3);
    expect(await journal.rotate()).toBe(true);
    expect(journal.hasRoom(2 * BLOCK_BYTES)).toBe(true);
    expect(journal.usedBytes).toBe(options.partBytes);
  });

  it('makes a part anew that is too short', async () => {
    await journal.close();
    await truncate(partFile(options.folder, 0), 100);
    journal = await Journal.open(options);
    expect((await stat(partFile(options.folder, 0))).size).toBe(options.partBytes);
  });
});
