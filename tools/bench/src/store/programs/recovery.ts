/**
 * `recovery <cells> <rounds>`: recovers a partition of cells of 100 B from images of its segments in memory, and beside it copies and
 * checksums the same bytes. Prints for round n `recover_n`, `recoverCpu_n` and `copy_n`, in MB a second.
 */
import { compileSchema, SchemaTable } from '@niobe/cells';
import { assert, ByteWriter, crc32, systemClock } from '@niobe/kernel';
import { Arena, noEvents, PartitionStore, type RecoveredSegment } from '@niobe/store';

const MB = 1_000_000;
const ENTRY_BYTES_MAX = 130;
const SLACK_BYTES: number = 256 * 1024 * 1024;
const CELLS_PER_COMMIT = 256;
/** With a key of some 12 bytes and the other fields 100 bytes a cell. */
const BLOB = new Uint8Array(78);

const [cells, rounds] = process.argv.slice(2).map(Number) as [number, number];
const schema = compileSchema(1, 1, {
  name: 'measured',
  key: 'text',
  fields: { number: { type: 'i32' }, blob: { type: 'bytes' } },
});
const schemas = new SchemaTable();
schemas.add(schema);
const arena = new Arena({ bytes: cells * ENTRY_BYTES_MAX + SLACK_BYTES });
const segments = imagesOf(loaded());
const bytes = segments.reduce((sum, one) => sum + one.bytes.length, 0);
const figures: Record<string, number> = { bytes };
for (let round = 0; round < rounds; round++) {
  if (round % 2 === 0) measureRecovery(round);
  figures[`copy_${round}`] = rateOf(copyAll);
  if (round % 2 === 1) measureRecovery(round);
}
console.log(JSON.stringify(figures));

/** Puts the cells in the order of their numbers. */
function loaded(): PartitionStore {
  const partition = { partition: 0, epoch: 1, firstSegment: 1 };
  const store = new PartitionStore({ ...partition, arena, schemas, clock: systemClock, events: noEvents });
  const out = new ByteWriter(1024, 1024);
  for (let from = 0; from < cells; from += CELLS_PER_COMMIT) {
    store.begin();
    for (let n = from; n < Math.min(cells, from + CELLS_PER_COMMIT); n++) {
      out.reset();
      schema.encodeKey(`user-${n}`, out);
      const keyBytes = out.length;
      schema.encode({ number: n, blob: BLOB }, out);
      store.put(schema.id, out.buffer, 0, keyBytes, keyBytes, out.length - keyBytes, 0);
    }
    store.commit();
  }
  return store;
}

/** The bytes of all segments; the store is closed. */
function imagesOf(store: PartitionStore): RecoveredSegment[] {
  const images = store.segments().map(({ segment }) => {
    const image = store.segmentBytes(segment).slice();
    return { segment, bytes: image, durableBytes: image.length };
  });
  store.close();
  return images;
}

function measureRecovery(round: number): void {
  const before = process.cpuUsage();
  let store: PartitionStore | null = null;
  figures[`recover_${round}`] = rateOf(() => (store = recover()));
  const { user, system } = process.cpuUsage(before);
  figures[`recoverCpu_${round}`] = bytes / MB / ((user + system) / 1_000_000);
  const recovered: PartitionStore = store!;
  assert(recovered.cellsOf(schema.id) === cells, 'every cell is there');
  recovered.close();
}

function recover(): PartitionStore {
  const partition = { partition: 0, epoch: 2, firstSegment: 1 };
  return PartitionStore.recover({ ...partition, arena, schemas, clock: systemClock, events: noEvents }, segments);
}

/** What no recovery from memory does without. */
function copyAll(): void {
  let at = 0;
  for (const segment of segments) {
    arena.bytes.set(segment.bytes, at);
    at += segment.bytes.length;
    crc32(segment.bytes);
  }
}

function rateOf(work: () => void): number {
  const startMs = systemClock.monotonicMs();
  work();
  return bytes / MB / ((systemClock.monotonicMs() - startMs) / 1000);
}
