import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentMeter, type Labels, type Meter } from '@niobe/kernel';
import { cellIdOf, partitionOfId, type CompiledSchema } from '@niobe/cells';
import { OpKind, SectionBuilder, type PreparedSection, type SectionResult } from '@niobe/grid';
import { LINKS, PAGE, PARTITIONS, TestGrid, type TestClient } from '../../fixtures/test-grid.ts';

/** A meter whose metrics can be read. */
class ReadableMeter implements Meter {
  readonly #gauges = new Map<string, () => number>();
  readonly #counters = new Map<string, number>();

  gauge(name: string, _help: string, read: () => number, labels: Labels = {}): void {
    this.#gauges.set([name, ...Object.values(labels)].join(' '), read);
  }

  counter(name: string): { add(amount: number): void } {
    return { add: (amount) => void this.#counters.set(name, this.read(name) + amount) };
  }

  histogram(): ReturnType<Meter['histogram']> {
    return silentMeter.histogram('', '', []);
  }

  read(name: string): number {
    return this.#gauges.get(name)?.() ?? this.#counters.get(name) ?? 0;
  }
}

function idBytes(ids: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(ids.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, id] of ids.entries()) view.setBigUint64(i * 8, BigInt(id), true);
  return bytes;
}

/** One operation on the adjacency of a vertex, as a section of its partition or of another. */
function section(
  schema: CompiledSchema,
  own: number,
  neighbours: readonly number[],
  options: { kind?: 1 | 4 | 5 | 6; partition?: number } = {},
): PreparedSection {
  const builder = new SectionBuilder();
  const key = idBytes([own]);
  const body = idBytes(neighbours);
  builder.start(options.partition ?? partitionOfId(own));
  builder.op(options.kind ?? OpKind.LINK, schema.id, 0, key, 0, 8, body, 0, body.length);
  return builder.finish();
}

describe('links', () => {
  let grid: TestGrid;
  let client: TestClient;
  let meter: ReadableMeter;
  let page: CompiledSchema;
  let out: CompiledSchema;
  let into: CompiledSchema;
  let counters: CompiledSchema;
  let ids: number[];
  beforeEach(async () => {
    grid = new TestGrid();
    grid.edges = [LINKS];
    grid.meter = meter = new ReadableMeter();
    await grid.startShard();
    client = await grid.connect(PAGE, ...LINKS.schemas);
    [page, out, into, counters] = client.schemas as [CompiledSchema, CompiledSchema, CompiledSchema, CompiledSchema];
    ids = [];
    for (let key = 0; key < 20; key++) {
      await client.grid.put(page, key, {});
      ids.push((await client.grid.get(page, key))!.id);
    }
  });
  afterEach(() => grid.close());

  const write = async (...sections: readonly PreparedSection[]): Promise<SectionResult[]> =>
    client.grid.write(sections, { versionsWanted: true });
  const codeOf = async (refused: PreparedSection): Promise<string> => (await write(refused))[0]!.error?.code ?? 'none';
  const degreeOf = async (schema: CompiledSchema, own: number): Promise<unknown> =>
    (await client.grid.get(schema, own))?.record['degree'];

  it('are listed once, however often they come, also after a crash', async () => {
    const from = ids[0]!;
    const sections = [section(out, from, ids), ...ids.map((to) => section(into, to, [from]))];
    for (let times = 0; times < 2; times++) {
      const results = await write(...sections);
      expect(results.map(({ error }) => error)).toEqual(sections.map(() => null));
      expect(results[0]!.versions).toEqual([{ epoch: 0, seq: 0 }]);
    }
    expect(await degreeOf(out, from)).toBe(20);
    expect(meter.read('edge_ends_added_total')).toBe(40);
    await grid.restart();
    await write(...sections);
    expect(await degreeOf(out, from)).toBe(20);
    expect(await degreeOf(into, ids[19]!)).toBe(1);
    expect(meter.read('edge_ends_added_total')).toBe(40);
  });

  it('are counted by edge type and direction, from the first look and after a recovery', async () => {
    const ends = (): readonly number[] => ['out', 'in'].map((end) => meter.read(`graph_edge_ends links ${end}`));
    await write(section(out, ids[0]!, ids));
    expect(ends()).toEqual([20, 0]);
    await write(section(out, ids[1]!, ids.slice(5)), section(into, ids[0]!, [ids[0]!, ids[1]!]));
    const refused = section(out, ids[2]!, [ids[0]!, cellIdOf(PARTITIONS, 0, 0)]);
    expect(await codeOf(refused)).toBe('SCHEMA_VIOLATION');
    expect(ends()).toEqual([35, 2]);
    expect(meter.read('graph_vertices page')).toBe(20);
    await client.grid.delete(page, 19);
    await grid.restart();
    expect(ends()).toEqual([35, 2]);
    expect(meter.read('graph_vertices page')).toBe(19);
  });

  it('have no effect at a vertex that was deleted', async () => {
    await client.grid.delete(page, 3);
    expect(await codeOf(section(out, ids[3]!, [ids[0]!]))).toBe('none');
    expect(await client.grid.get(out, ids[3]!)).toBeNull();
    expect(meter.read('links_without_vertex_total')).toBe(1);
  });

  it('are the only way to change a list, and change nothing else', async () => {
    const own = ids[0]!;
    const elsewhere = (partitionOfId(own) + 1) % PARTITIONS;
    await write(section(out, own, [ids[1]!]));
    for (const kind of [OpKind.PUT, OpKind.DELETE, OpKind.MERGE])
      expect(await codeOf(section(out, own, kind === OpKind.DELETE ? [] : [ids[2]!], { kind }))).toBe('BAD_REQUEST');
    expect(await codeOf(section(page, own, [ids[2]!]))).toBe('BAD_REQUEST');
    expect(await codeOf(section(counters, own, [ids[2]!]))).toBe('BAD_REQUEST');
    expect(await codeOf(section(out, own, [ids[2]!], { partition: elsewhere }))).toBe('BAD_REQUEST');
    expect(await codeOf(section(out, cellIdOf(PARTITIONS + 1, 0, 0), [own], { partition: 0 }))).toBe(
      'SCHEMA_VIOLATION',
    );
    expect((await client.grid.get(out, own))!.record).toEqual({ degree: 1, chunk: null, refs: [ids[1]!] });
  });

  it('leave counters to cells of their own, where the edge begins', async () => {
    const pair = `${ids[0]!}:${ids[1]!}`;
    await client.grid.merge(counters, pair, { clicks: 2 });
    await client.grid.merge(counters, pair, { clicks: 3 });
    const found = await client.grid.get(counters, pair);
    expect(found!.record).toEqual({ clicks: 5 });
    expect(partitionOfId(found!.id)).toBe(partitionOfId(ids[0]!));
  });
});
