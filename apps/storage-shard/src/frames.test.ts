import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ByteWriter, isNiobeError, seededRandom, type Random } from '@niobe/kernel';
import { cellIdOf, writeClauses, type CompiledSchema } from '@niobe/cells';
import {
  Ack,
  CURSOR_SCHEMA_ID,
  GetFrameBuilder,
  GetReply,
  OpKind,
  scanFrame,
  ScanReply,
  SEEN_SCHEMA_ID,
  shardSubject,
  stampRequest,
  WriteFrameBuilder,
  WriteReply,
  type OpKindCode,
  PROTOCOL,
} from '@niobe/grid';
import { COUNTS, DEPLOYMENT, LINKS, PARTITIONS, TestGrid, type TestClient } from '../fixtures/test-grid.ts';

const SUBJECT = shardSubject(DEPLOYMENT, 'shard-0');
const DEADLINE_MS = 5_000;
const CLIENT = 77;

/** Frames made by hand, as any process on the bus could send them. */
class FrameMaker {
  readonly #schema: CompiledSchema;
  readonly #gets = new GetFrameBuilder();
  readonly #writes = new WriteFrameBuilder();
  #serial = 0;

  constructor(schema: CompiledSchema) {
    this.#schema = schema;
  }

  #key(page: string): { bytes: Uint8Array; partition: number } {
    const out = new ByteWriter(512);
    this.#schema.encodeKey(page, out);
    const bytes = out.finish();
    return { bytes, partition: this.#schema.partitionOfKey(bytes, 0, bytes.length, PARTITIONS) };
  }

  #stamped(frame: Uint8Array, deadlineMs = DEADLINE_MS): Uint8Array {
    stampRequest(frame, ++this.#serial, deadlineMs);
    return frame;
  }

  get(page: string): Uint8Array {
    const { bytes, partition } = this.#key(page);
    this.#gets.start(CLIENT);
    this.#gets.beginSection(partition, 0);
    this.#gets.key(this.#schema.id, bytes, 0, bytes.length);
    this.#gets.key(CURSOR_SCHEMA_ID, bytes, 0, bytes.length);
    this.#gets.endSection();
    return this.#stamped(this.#gets.finish());
  }

  write(
    kind: OpKindCode,
    page: string,
    options: { schemaId?: number; epoch?: number; deadlineMs?: number } = {},
  ): Uint8Array {
    const { bytes, partition } = this.#key(page);
    const body = new ByteWriter(4096);
    this.#schema.encode({ page, count: 1 }, body);
    this.#writes.start(CLIENT, Ack.MEMORY, true);
    this.#writes.beginSection(partition, options.epoch ?? 0);
    const schemaId = options.schemaId ?? this.#schema.id;
    this.#writes.op(
      kind,
      schemaId,
      0,
      bytes,
      0,
      bytes.length,
      body.buffer,
      0,
      kind === OpKind.DELETE ? 0 : body.length,
    );
    this.#writes.endSection();
    return this.#stamped(this.#writes.finish(), options.deadlineMs);
  }

  /** Names the vertex in slot 0 of a partition, and neighbours there may or may not be. */
  link(adjacency: CompiledSchema, partition: number, neighbours: number): Uint8Array {
    const ids = new ByteWriter(1024);
    ids.u53(cellIdOf(partition, 0, 0));
    for (let slot = 0; slot < neighbours; slot++) ids.u53(cellIdOf(slot % PARTITIONS, 0, slot));
    this.#writes.start(CLIENT, Ack.MEMORY);
    this.#writes.beginSection(partition, 0);
    this.#writes.op(OpKind.LINK, adjacency.id, 0, ids.buffer, 0, 8, ids.buffer, 8, ids.length - 8);
    this.#writes.endSection();
    return this.#stamped(this.#writes.finish());
  }

  sources(partition: number, source: string): Uint8Array {
    this.#writes.start(CLIENT, Ack.DURABLE);
    this.#writes.beginSection(partition, 0);
    this.#writes.source(source, 0, 10, 1_700_000_000_000);
    this.#writes.endSection();
    return this.#stamped(this.#writes.finish());
  }

  scan(schemaId = this.#schema.id): Uint8Array {
    const clauses = new ByteWriter(4096);
    writeClauses([{ field: 1, op: 'notNull', value: new Uint8Array(0) }], clauses);
    const positions = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, epoch: 0, cursor: 0 }));
    return this.#stamped(scanFrame(CLIENT, { schemaId, clauses: clauses.finish(), limitBytes: 5_000 }, positions));
  }
}

const ask = ({ bus }: TestClient, frame: Uint8Array): Promise<Uint8Array> =>
  bus.request(SUBJECT, frame, { deadlineMs: 10_000 });

/** Code of the first section, or of the whole. */
const writeCode = async (client: TestClient, frame: Uint8Array): Promise<string> => {
  try {
    const reply = new WriteReply(await ask(client, frame));
    reply.nextSection();
    return reply.refusal?.code ?? 'ok';
  } catch (error) {
    return isNiobeError(error) ? error.code : String(error);
  }
};

/** Changes a frame as a broken or hostile sender might. */
function mutate(frame: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random.below(frame.length);
  switch (random.below(5)) {
    case 0:
      return frame.slice(0, at);
    case 1:
      return Uint8Array.from([...frame.slice(0, at), ...other.slice(random.below(other.length))]);
    case 2: {
      const longer = new Uint8Array(frame.length + 1 + random.below(40));
      longer.set(frame);
      return longer;
    }
    default: {
      const changed = frame.slice();
      for (let flips = 1 + random.below(4); flips > 0; flips--) {
        // Mostly behind the header, which alone would refuse most frames.
        const place =
          random.below(4) === 0 ? random.below(changed.length) : Math.min(changed.length - 1, 14 + random.below(60));
        changed[place] = random.below(3) === 0 ? random.below(256) : changed[place]! ^ (1 << random.below(8));
      }
      return changed;
    }
  }
}

/** True for bytes that a client can read as an answer of some kind. */
function isAnswer(reply: Uint8Array): boolean {
  for (const read of [GetReply, WriteReply, ScanReply]) {
    try {
      new read(reply);
      return true;
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      if (error.code !== 'MALFORMED' || !error.message.startsWith('a reply of kind')) return true;
    }
  }
  return false;
}

describe('frames that a shard gets', () => {
  let grid: TestGrid;
  let client: TestClient;
  let schema: CompiledSchema;
  let adjacency: CompiledSchema;
  let frames: FrameMaker;
  beforeEach(async () => {
    grid = new TestGrid();
    await grid.startShard();
    client = await grid.connect(COUNTS, ...LINKS.schemas);
    [schema, adjacency] = client.schemas as [CompiledSchema, CompiledSchema];
    frames = new FrameMaker(schema);
    await client.grid.put(schema, 'warm', { page: 'p', count: 0 });
  });
  afterEach(() => grid.close());

  it('are refused by what is wrong with them, without effect', async () => {
    expect(await writeCode(client, frames.write(OpKind.PUT, 'a', { schemaId: 999 }))).toBe('NOT_READY');
    expect(await writeCode(client, frames.write(OpKind.PUT, 'a', { schemaId: SEEN_SCHEMA_ID }))).toMatch(
      /MALFORMED|SCHEMA_VIOLATION/,
    );
    expect(await writeCode(client, frames.write(OpKind.PUT, 'a', { epoch: 99 }))).toBe('NOT_PRIMARY');
    expect(await writeCode(client, frames.write(OpKind.PUT, 'a', { deadlineMs: 0 }))).toBe('DEADLINE');
    expect(await writeCode(client, Uint8Array.of(PROTOCOL, 9, 0, 0))).toBe('MALFORMED');
    expect(await writeCode(client, frames.write(OpKind.REPLACE, 'a'))).toBe('NOT_FOUND');
    expect(await client.grid.get(schema, 'a')).toBeNull();
  });

  it('have one effect however often they arrive, also after others', async () => {
    const first = frames.write(OpKind.MERGE, 'page');
    const answer = await ask(client, first);
    for (let i = 0; i < 20; i++) expect(await writeCode(client, frames.write(OpKind.MERGE, 'page'))).toBe('ok');
    expect(await ask(client, first)).toEqual(answer);
    expect((await client.grid.get(schema, 'page'))?.record['count']).toBe(21);
  });

  it('neither crash nor corrupt when they are mutated', async () => {
    const seed = 20_260_101;
    const random = seededRandom(seed);
    const valid = (): Uint8Array => {
      const page = `page-${random.below(50)}`;
      const kind = (1 + random.below(5)) as OpKindCode;
      const made = [
        () => frames.get(page),
        () => frames.write(kind, page),
        () => frames.sources(random.below(PARTITIONS), page),
        () => frames.link(adjacency, random.below(PARTITIONS), 1 + random.below(40)),
        () => frames.scan(),
      ];
      return made[random.below(made.length)]!();
    };
    for (let round = 0; round < 157; round++) {
      const sent = Array.from({ length: 64 }, () => ask(client, mutate(valid(), valid(), random)));
      for (const reply of await Promise.all(sent)) if (!isAnswer(reply)) throw new Error(`no answer; seed ${seed}`);
    }
    const before = await cellsOf(client, schema);
    await grid.restart();
    expect(await cellsOf(client, schema)).toEqual(before);
    await client.grid.put(schema, 'after', { page: 'p', count: 3 });
    expect((await client.grid.get(schema, 'after'))?.record['count']).toBe(3);
  }, 60_000);
});

/** Every cell as the client sees it; `ScanPage.next` checks each body. */
async function cellsOf({ grid }: TestClient, schema: CompiledSchema): Promise<Map<string, string>> {
  const cells = new Map<string, string>();
  for await (const page of grid.scan(schema)) {
    while (page.next()) {
      const key = String(schema.decodeKey(page.bytes, page.keyAt, page.keyBytes));
      const record = schema.decode(page.bytes, page.bodyAt, page.bodyBytes);
      cells.set(key, Object.entries(record).flat().map(String).join());
    }
  }
  return cells;
}
