import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryFrame, readMemoryReply, shardSubject } from '@niobe/grid';
import { isNiobeError, silentLogger, systemClock } from '@niobe/kernel';
import { Health, HttpServer, PrometheusMeter } from '@niobe/service';
import type { MemoryReport } from '@niobe/store';
import { COUNTS, DEPLOYMENT, TestGrid, type StartedShard, type TestClient } from '../../fixtures/test-grid.ts';
import { SURVEYS_MAX } from '../limits.ts';

const DEADLINE_MS = 5_000;
const CELLS = 300;

describe('a memory report of a shard', () => {
  let grid: TestGrid;
  let shard: StartedShard;
  let client: TestClient;
  beforeEach(async () => {
    grid = new TestGrid();
    shard = await grid.startShard();
    client = await grid.connect(COUNTS);
    const writes = Array.from({ length: CELLS }, (_, i) => {
      const page = i === 7 ? 'long '.repeat(100) : 'p';
      return client.grid.merge(client.schemas[0]!, `page-${i}`, { page, count: i });
    });
    await Promise.all(writes);
  });
  afterEach(() => grid.close());

  const ask = async (largest = 5): Promise<MemoryReport> => {
    const frame = memoryFrame(1, 1, DEADLINE_MS, largest);
    const options = { deadlineMs: DEADLINE_MS };
    return readMemoryReply(
      await client.bus.request(shardSubject(DEPLOYMENT, 'shard-0'), frame, options),
    ) as MemoryReport;
  };

  it('comes over the bus, with all partitions', async () => {
    const report = await ask();
    const counts = report.schemas.find(({ name }) => name === COUNTS.name)!;
    expect(counts.cells).toBe(CELLS);
    expect(report.partitions).toBe(8);
    expect(report.cellBytes + report.otherLiveBytes).toBe(report.arena.live);
    expect(report.largest).toHaveLength(5);
    expect(report.largest[0]!.bytes).toBeGreaterThan(500);
    expect(JSON.stringify(report)).not.toMatch(/page-\d|long/);
  });

  it('is refused where too many are wanted at once, or the asker has gone', async () => {
    const asked = await Promise.all(
      Array.from({ length: SURVEYS_MAX * 2 }, () =>
        ask().then(
          () => 'report',
          (error: unknown) => (isNiobeError(error) ? error.code : error),
        ),
      ),
    );
    expect(new Set(asked)).toEqual(new Set(['report', 'BUSY']));
    const late = client.bus.request(shardSubject(DEPLOYMENT, 'shard-0'), memoryFrame(1, 1, 0, 5), {
      deadlineMs: 5_000,
    });
    expect(() => readMemoryReply(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    const reply = await late;
    expect(() => readMemoryReply(reply)).toThrow(expect.objectContaining({ code: 'DEADLINE' }));
  });

  it('comes over HTTP, and tells what is wrong with a request', async () => {
    const meter = new PrometheusMeter('storage_shard');
    const options = {
      host: '127.0.0.1',
      port: 0,
      health: new Health(),
      meter,
      logger: silentLogger,
      clock: systemClock,
    };
    const http = await HttpServer.open(options);
    try {
      await http.mount(shard.service.routes);
      const get = (query: string): Promise<Response> => fetch(`http://127.0.0.1:${http.port}/v1/memory${query}`);
      const report = (await (await get('?largest=2')).json()) as MemoryReport;
      expect([report.largest.length, report.schemas[0]!.name]).toEqual([2, COUNTS.name]);
      for (const query of ['?largest=x', '?largest=1001', '?largest=1&largest=2', '?most=1']) {
        const response = await get(query);
        expect(response.status).toBe(400);
        expect(response.headers.get('content-type')).toMatch('application/problem+json');
        expect(await response.json()).toMatchObject({ code: 'BAD_REQUEST' });
      }
    } finally {
      await http.close();
    }
  });
});
