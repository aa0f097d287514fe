import { GetReply, GetRequest, ScanReply, ScanRequest, WriteReply, WriteRequest } from '@niobe/grid';
import { isNiobeError, ManualClock, type Random } from '@niobe/kernel';
import { Arena, formatOf, noEvents, PartitionStore, readBatches, readEnd, readStart, validPrefix } from '@niobe/store';
import { sampleSchemas } from './sample-cells.ts';

/** Readers of bytes from outside. Each must take any bytes, refuse them by a `NiobeError` alone, and come to an end. */
export const BYTE_READERS: Readonly<Record<string, (bytes: Uint8Array) => void>> = {
  'a GET request': (bytes) => walk(new GetRequest(bytes)),
  'a WRITE request': (bytes) => walkWrite(new WriteRequest(bytes)),
  'a SCAN request': (bytes) => walk(new ScanRequest(bytes)),
  'a GET reply': (bytes) => walk(new GetReply(bytes)),
  'a WRITE reply': (bytes) => walk(new WriteReply(bytes)),
  'a SCAN reply': (bytes) => walkScan(new ScanReply(bytes)),
  'a segment': (bytes) => readSegment(bytes),
  'a log': (bytes) => recover(bytes),
};

/** Bytes with no sense in them, a quarter of them beginning like something that is known. */
export function garbage(random: Random, known: readonly Uint8Array[]): Uint8Array {
  const bytes = Uint8Array.from({ length: random.below(BYTES_MAX) }, () => random.below(256));
  if (random.below(4) > 0 || known.length === 0) return bytes;
  const model = known[random.below(known.length)]!;
  bytes.set(model.subarray(0, Math.min(bytes.length, random.below(model.length + 1))));
  return bytes;
}

/** True where the reader refused. Throws what is no refusal. */
export function refuses(read: (bytes: Uint8Array) => void, bytes: Uint8Array): boolean {
  try {
    read(bytes);
    return false;
  } catch (error) {
    if (isNiobeError(error)) return true;
    throw error;
  }
}

function walk(frame: { nextSection(): boolean }): void {
  while (frame.nextSection());
}

function walkWrite(frame: WriteRequest): void {
  while (frame.nextSection()) {
    while (frame.nextSource());
    while (frame.nextOp());
  }
}

function walkScan(frame: ScanReply): void {
  while (frame.nextSection()) while (frame.nextRow());
}

function readSegment(bytes: Uint8Array): void {
  validPrefix(bytes);
  formatOf(bytes);
  readStart(bytes);
  readEnd(bytes);
  for (const batch of readBatches(bytes)) if (batch.bytes < 1) throw new Error('a batch without bytes');
}

const ARENA = new Arena({ bytes: 16 * 1024 * 1024 });

/** Bytes of nothing durable leave an empty partition behind. */
function recover(bytes: Uint8Array): void {
  const options = { partition: 3, epoch: 1, arena: ARENA, schemas: sampleSchemas(), firstSegment: 1 };
  const segments = [{ segment: 1, bytes, durableBytes: 0 }];
  PartitionStore.recover({ ...options, clock: new ManualClock(), events: noEvents }, segments).close();
}

const BYTES_MAX = 4_096;
