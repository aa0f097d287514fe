import { describe, expect, it } from '@jest/globals';
import type { CellRecord, CompiledSchema } from '@niobe/cells';
import type { EventValue, ReadEvent } from '@niobe/events';
import { OpKind, SectionBuilder, WriteFrameBuilder, WriteRequest, type PreparedSection } from '@niobe/grid';
import fc from 'fast-check';
import type { Cube, Measure } from '../cube/cube.ts';
import { ACTIVITY, cubesOf, eventOf, PURCHASE, schemasOf, TOTALS, VIEW } from '../../fixtures/sales.ts';
import { DELTA_BYTES_MAX, Folder } from './folder.ts';

const PARTITIONS = 8;
const ARRIVAL_MS = 1_700_000_000_000;
const I64_MAX = 2n ** 63n - 1n;

const cubes = cubesOf(ACTIVITY, TOTALS);
const schemas = schemasOf(cubes);
const schemaOf = (name: string): CompiledSchema => schemas.get(name)!;
const section = new SectionBuilder();
const byId = new Map([...schemas.values()].map((schema) => [schema.id, schema]));

/** Cells by schema name and key, joined as a partition joins them. */
class Cells {
  readonly bodies = new Map<string, Uint8Array>();
  readonly partitionOf = new Map<string, number>();

  merge({ partition, ops, content }: PreparedSection): void {
    const builder = new WriteFrameBuilder();
    builder.start(1, 0);
    builder.preparedSection(partition, 0, 0, ops, content);
    const request = new WriteRequest(builder.finish());
    expect(request.nextSection()).toBe(true);
    while (request.nextOp()) this.#take(partition, request);
  }

  #take(partition: number, op: WriteRequest): void {
    expect(op.kind).toBe(OpKind.MERGE);
    const schema = byId.get(op.schemaId)!;
    schema.check(op.bytes, op.bodyAt, op.bodyBytes);
    const cell = `${schema.name} ${schema.decodeKey(op.bytes, op.keyAt, op.keyBytes)}`;
    const delta = op.bytes.slice(op.bodyAt, op.bodyAt + op.bodyBytes);
    const old = this.bodies.get(cell);
    this.bodies.set(cell, old === undefined ? delta : merged(schema, old, delta));
    expect(this.partitionOf.get(cell) ?? partition).toBe(partition);
    this.partitionOf.set(cell, partition);
  }

  records(): Map<string, CellRecord> {
    const records = new Map<string, CellRecord>();
    for (const [cell, body] of this.bodies) {
      records.set(cell, schemaOf(cell.slice(0, cell.indexOf(' '))).decode(body, 0, body.length));
    }
    return records;
  }
}

function merged(schema: CompiledSchema, old: Uint8Array, delta: Uint8Array): Uint8Array {
  const out = new Uint8Array(schema.mergedBytesMax(old.length, delta.length));
  return out.slice(0, schema.merge(old, 0, old.length, delta, 0, delta.length, out, 0));
}

/** Folds [from, to) of `events`, whose offsets are their places, cut where the folder says or at `cuts`. */
function fold(
  folder: Folder,
  cells: Cells,
  events: readonly ReadEvent[],
  cursors: Float64Array,
  from: number,
  cuts: ReadonlySet<number>,
): void {
  const send = (to: number): void => {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      section.start(partition);
      folder.writeOps(partition, section);
      expect(section.length).toBeLessThanOrEqual(Math.min(DELTA_BYTES_MAX, folder.deltaBytes(partition)));
      cells.merge(section.finish());
      cursors[partition] = Math.max(cursors[partition]!, to);
    }
  };
  folder.begin(cursors);
  for (let offset = from; offset < events.length; offset++) {
    folder.fold(events[offset]!, offset, ARRIVAL_MS);
    if (!folder.full && !cuts.has(offset)) continue;
    send(offset + 1);
    folder.begin(cursors);
  }
  send(events.length);
}

/** The naive way: a Map of groups by JSON, bigints throughout. */
function oracle(events: readonly ReadEvent[]): Map<string, CellRecord> {
  const groups = new Map<string, CellRecord>();
  for (const event of events) {
    for (const cube of cubes) {
      if (!cube.eventTypes.includes(event.type)) continue;
      for (const set of cube.sets) {
        const pane = cube.windowMs === 0 ? 0 : Math.floor(event.timeMs / cube.windowMs) * cube.windowMs;
        const values = set.dimensions.map(({ name }) => valueOf(event, name));
        const name = JSON.stringify([
          set.schema.name,
          pane,
          values.map((value) => (typeof value === 'bigint' ? `${value}n` : value)),
        ]);
        const group =
          groups.get(name) ??
          emptyGroup(
            cube,
            pane,
            set.dimensions.map(({ name: dimension }, i) => [dimension, values[i]!]),
          );
        groups.set(name, group);
        for (const measure of cube.measures) group[measure.name] = joined(measure, group[measure.name]!, event);
      }
    }
  }
  return groups;
}

function emptyGroup(cube: Cube, pane: number, dimensions: [string, EventValue][]): CellRecord {
  const measures = cube.measures.map(({ name, kind }) => [name, kind === 'count' ? 0 : null]);
  return Object.fromEntries([['pane', pane], ...dimensions, ...measures]) as CellRecord;
}

function valueOf(event: ReadEvent, name: string): EventValue {
  const field = event.type.field(name);
  return field === undefined ? null : (event.values[field.index] ?? null);
}

function joined(measure: Measure, present: CellRecord[string], event: ReadEvent): CellRecord[string] {
  if (measure.kind === 'count') return (present as number) + 1;
  const factors = measure.columns.map((column) => valueOf(event, column));
  if (factors.includes(null)) return present;
  const value = factors.reduce<bigint>((product, factor) => product * BigInt(factor as number), 1n);
  if (present === null) return value;
  if (measure.kind === 'sum') return (present as bigint) + value;
  return (measure.kind === 'min') === value < (present as bigint) ? value : present;
}

/** Both sides in one form: bigints as text, decimals as their scaled integer. */
function plain(records: ReadonlyMap<string, CellRecord>): string[] {
  return [...records.values()]
    .map((record) => JSON.stringify(record, (key, value: unknown) => plainValue(key, value)))
    .toSorted();
}

function plainValue(key: string, value: unknown): unknown {
  if (key === 'cheapest' && typeof value === 'string') return String(BigInt(value.replace('.', '')));
  if (key === 'pane' || typeof value === 'boolean' || value === null) return value;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
}

const quantity = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -20, max: 20 }) },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 53n, max: 2n ** 56n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 56n), max: -(2n ** 53n) }) },
);
const price = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -5000, max: 5000 }) },
  fc.integer({ min: 2 ** 30, max: 2 ** 38 }),
);
const name = fc.constantFrom('', 'a', 'b', '1:a', '-', 'ä', 'größe', '日本', 'x'.repeat(60), ';');
const timeMs = fc.integer({ min: ARRIVAL_MS - 4 * 3_600_000, max: ARRIVAL_MS });
const purchase = fc
  .record({ product: name, country: fc.option(name), quantity, price, gift: fc.option(fc.boolean()) })
  .chain((values) => timeMs.map((time) => eventOf(PURCHASE, time, values)));
const view = fc
  .record({ product: name, country: fc.option(name) })
  .chain((values) => timeMs.map((time) => eventOf(VIEW, time, values)));
const events = fc.array(fc.oneof({ weight: 3, arbitrary: purchase }, view), { maxLength: 120, size: 'max' });

describe('Folder', () => {
  it('gives the cells that a naive count gives, however batches are cut', () => {
    const folder = new Folder(cubes, schemaOf, PARTITIONS);
    fc.assert(
      fc.property(events, fc.array(fc.nat(119)), (list, cuts) => {
        const cells = new Cells();
        fold(folder, cells, list, new Float64Array(PARTITIONS), 0, new Set(cuts));
        expect(plain(cells.records())).toEqual(plain(oracle(list)));
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same cells when grid partitions stopped at different offsets and a replay starts at the lowest', () => {
    const folder = new Folder(cubes, schemaOf, PARTITIONS);
    const cursor = fc.array(fc.nat(120), { minLength: PARTITIONS, maxLength: PARTITIONS });
    fc.assert(
      fc.property(events, cursor, fc.nat(30), fc.array(fc.nat(119)), (list, stops, before, cuts) => {
        const cells = new Cells();
        const cursors = new Float64Array(PARTITIONS);
        stopEarly(folder, cells, list, cursors, stops);
        const lowest = Math.max(0, Math.min(...cursors) - before);
        fold(folder, cells, list, cursors, lowest, new Set(cuts));
        expect(plain(cells.records())).toEqual(plain(oracle(list)));
      }),
      { numRuns: 40 },
    );
  });

  it('is full before the deltas of a grid partition pass their bound', () => {
    const folder = new Folder(cubes, schemaOf, 1);
    const cursors = new Float64Array(1);
    folder.begin(cursors);
    let offset = 0;
    for (; !folder.full; offset++) {
      const values = { product: `product ${offset}`, country: 'x'.repeat(64), quantity: offset, price: 1 };
      folder.fold(eventOf(PURCHASE, ARRIVAL_MS, values), offset, ARRIVAL_MS);
    }
    section.start(0);
    folder.writeOps(0, section);
    expect(offset).toBeGreaterThan(300);
    expect(section.length).toBeGreaterThan(DELTA_BYTES_MAX / 4);
    expect(section.length).toBeLessThan(DELTA_BYTES_MAX);
    folder.begin(cursors);
    expect(folder.full).toBe(false);
  });

  it('refuses an event for a cube whose product is too large, and counts it in the others', () => {
    const folder = new Folder(cubes, schemaOf, 1);
    folder.begin(new Float64Array(1));
    const huge = eventOf(PURCHASE, ARRIVAL_MS, { product: 'p', quantity: I64_MAX, price: I64_MAX });
    expect(folder.fold(huge, 0, ARRIVAL_MS)?.name).toBe('activity');
    expect(folder.groups).toBe(2);
  });

  it('passes over panes that have expired when the event arrived', () => {
    const [short] = cubesOf({ ...ACTIVITY, keep: '2h' });
    const known = schemasOf([short!]);
    const folder = new Folder([short!], (schema) => known.get(schema)!, 1);
    folder.begin(new Float64Array(1));
    const hourMs = 3_600_000;
    const start = Math.floor(ARRIVAL_MS / hourMs) * hourMs;
    folder.fold(eventOf(VIEW, start - 3 * hourMs, { product: 'p' }), 0, start);
    expect([folder.groups, folder.expired]).toEqual([0, 1]);
    folder.fold(eventOf(VIEW, start - 3 * hourMs + 1, { product: 'p' }), 1, start - 1);
    expect([folder.groups, folder.expired]).toEqual([4, 1]);
  });
});

/** Sends each grid partition what lies below its own stop, as a crash between sections leaves it. */
function stopEarly(
  folder: Folder,
  cells: Cells,
  list: readonly ReadEvent[],
  cursors: Float64Array,
  stops: readonly number[],
): void {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const stop = Math.min(stops[partition]!, list.length);
    folder.begin(new Float64Array(PARTITIONS));
    for (let offset = 0; offset < stop; offset++) folder.fold(list[offset]!, offset, ARRIVAL_MS);
    section.start(partition);
    folder.writeOps(partition, section);
    cells.merge(section.finish());
    cursors[partition] = stop;
  }
}
