import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isNiobeError, systemClock, until } from '@niobe/kernel';
import { Ack } from '@niobe/grid';
import { TestGrid } from '../fixtures/test-grid.ts';

const MiB = 1024 * 1024;
const CELL_BYTES = 100 * 1024;
/** A refused write is tried again for so long; a slow machine must not make it a late one. */
const REFUSED_AFTER_MS = 4_000;
const BLOBS = { name: 'blobs', key: 'text', fields: { bytes: { type: 'bytes', maxBytes: MiB - 1024 } } } as const;

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'done';
  } catch (error) {
    return isNiobeError(error) ? error.code : String(error);
  }
};

describe('a storage shard under pressure', () => {
  let grid: TestGrid;
  beforeEach(() => {
    grid = new TestGrid();
  });
  afterEach(() => grid.close());

  it('refuses writes with STORE_FULL, goes on reading and deleting, and takes writes again when the cleaner made room', async () => {
    await grid.startShard('shard-0', 32 * MiB);
    const client = await grid.connect(BLOBS);
    const schema = client.schemas[0]!;
    const put = (key: string): Promise<unknown> =>
      client.grid.put(
        schema,
        key,
        { bytes: new Uint8Array(MiB / 2).fill(key.length) },
        { deadlineMs: REFUSED_AFTER_MS },
      );
    let written = 0;
    let code = await codeOf(put('blob-0'));
    for (; code === 'done'; code = await codeOf(put(`blob-${written}`))) written += 1;
    expect(code).toBe('STORE_FULL');
    expect(written).toBeGreaterThan(20);
    expect((await client.grid.get(schema, 'blob-0'))?.record['bytes']).toHaveLength(MiB / 2);
    for (let i = 0; i < written; i += 2) await client.grid.delete(schema, `blob-${i}`);
    await until(systemClock, async () => (await codeOf(put('again'))) === 'done', 40_000, 'room for a write');
    for (let i = 1; i < written; i += 2) expect(await client.grid.get(schema, `blob-${i}`)).not.toBeNull();
    // Freed segments were freed on the backup servers too: they hold no more than the arena did.
    for (const store of grid.stores.values()) expect(store.report().heldBytes).toBeLessThan(34 * MiB);
  }, 90_000);

  it('answers BUSY to writes while a backup server is more than 64 MiB behind', async () => {
    await grid.startShard('shard-0', 128 * MiB);
    const client = await grid.connect(BLOBS);
    const schema = client.schemas[0]!;
    await client.grid.put(schema, 'first', { bytes: new Uint8Array(1) });
    await grid.killBackup('backup-1');
    const put = (key: string): Promise<unknown> =>
      client.grid.put(
        schema,
        key,
        { bytes: new Uint8Array(CELL_BYTES) },
        { ack: Ack.MEMORY, deadlineMs: REFUSED_AFTER_MS },
      );
    let written = 0;
    let code = await codeOf(put('blob-0'));
    for (; code === 'done'; code = await codeOf(put(`blob-${written}`))) written += 1;
    expect(code).toBe('BUSY');
    expect(written * CELL_BYTES).toBeGreaterThan(64 * MiB - 4 * CELL_BYTES);
    expect(written * CELL_BYTES).toBeLessThan(66 * MiB);
    grid.startBackup('backup-1');
    await until(systemClock, async () => (await codeOf(put('again'))) === 'done', 40_000, 'writes going on');
  }, 90_000);
});
