import { describe, expect, it } from '@jest/globals';
import { ByteReader, isNiobeError, NiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import type { Change } from './backup-store.ts';
import {
  catalogueReply,
  checkReply,
  checkRequest,
  getCatalogueRequest,
  inventoryReply,
  inventoryRequest,
  putCatalogueReply,
  putCatalogueRequest,
  rangeReply,
  readCatalogueReply,
  readCheck,
  readCheckReply,
  readInventoryReply,
  readPutCatalogueReply,
  readRangeReply,
  readRangeRequest,
  readReadRange,
  readRegisterReply,
  registerReply,
  registerRequest,
} from './copy-frames.ts';
import { BackupRequest, openReply, readRequestKind, refusalReply } from './frames.ts';
import { readRoundRequest } from './round-request.ts';
import { readShipReply, readShipRequest, ShipFrameWriter, shipReply, type ShipVerdict } from './ship-frame.ts';

const OWNER = 'shard-0@0123456789abcdef';
const bytes = new Uint8Array([1, 2, 3]);
const at = { segment: 3, segmentEpoch: 2 };
const CHANGES: Change[] = [
  { kind: 'append', ...at, offset: 10, committedBytes: 13, bytes },
  { kind: 'repair', ...at, offset: 10, bytes },
  { kind: 'truncate', ...at, length: 7 },
  { kind: 'free', ...at },
  { kind: 'complete', completeEpoch: 9 },
];

function shipFrame(changes: readonly Change[] = CHANGES): Uint8Array {
  const writer = new ShipFrameWriter(OWNER, 64);
  for (const [i, change] of changes.entries())
    writer.add({ partition: 5, epoch: 9, stream: 2 ** 40 + 1, order: i + 1, change });
  return writer.finish();
}

/** Reads a request as the server does. */
function readRequest(request: Uint8Array): void {
  const reader = new ByteReader(request);
  const kind = readRequestKind(reader);
  if (kind === BackupRequest.read) readReadRange(reader);
  else if (kind === BackupRequest.check) readCheck(reader);
  else readRoundRequest(kind, reader);
}

const requests: [string, Uint8Array][] = [
  ['catalogue get', getCatalogueRequest()],
  ['catalogue put', putCatalogueRequest({ revision: 2 ** 33, bytes })],
  ['register', registerRequest(5, { epoch: 9, owner: OWNER })],
  ['inventory', inventoryRequest({ partitions: [1, 2, 4095], withSegments: true })],
  ['read', readRangeRequest({ partition: 5, ...at, offset: 1, bytes: 4 })],
  ['ship', shipFrame()],
  ['check', checkRequest([{ partition: 5, stream: 2 ** 40 }])],
];

const holding = {
  partition: 5,
  promised: { epoch: 9, owner: OWNER },
  completeEpoch: 8,
  segments: [{ segment: 3, epoch: 2, heldBytes: 100, committedBytes: 64 }],
};

const replies: [string, Uint8Array, (reply: Uint8Array) => unknown, unknown][] = [
  ['no catalogue', catalogueReply(null), readCatalogueReply, null],
  ['a catalogue', catalogueReply({ revision: 7, bytes }), readCatalogueReply, { revision: 7, bytes }],
  ['a catalogue put', putCatalogueReply(true), readPutCatalogueReply, true],
  ['a registration', registerReply({ kind: 'OK', stream: 77 }), readRegisterReply, { kind: 'OK', stream: 77 }],
  [
    'a fenced registration',
    registerReply({ kind: 'FENCED', promised: holding.promised }),
    readRegisterReply,
    { kind: 'FENCED', promised: holding.promised },
  ],
  ['an inventory', inventoryReply([holding]), readInventoryReply, [holding]],
  ['a check', checkReply([true, false]), readCheckReply, [true, false]],
  ['a range', rangeReply(bytes), readRangeReply, bytes],
];

describe('backup frames', () => {
  it('carry every change', () => {
    const reader = new ByteReader(shipFrame());
    expect(readRequestKind(reader)).toBe(BackupRequest.ship);
    const { owner, sections } = readShipRequest(reader);
    expect(owner).toBe(OWNER);
    expect(sections.map(({ change }) => change)).toEqual(CHANGES);
    expect(sections[4]).toMatchObject({ partition: 5, epoch: 9, stream: 2 ** 40 + 1, order: 5 });
  });

  it('carry every verdict', () => {
    const verdicts: ShipVerdict[] = [
      { kind: 'OK' },
      { kind: 'GAP', heldBytes: 12 },
      { kind: 'FENCED', promised: { epoch: 3, owner: OWNER } },
      { kind: 'FENCED', promised: null },
      { kind: 'STALE' },
    ];
    expect(readShipReply(shipReply(verdicts))).toEqual(verdicts);
  });

  it.each(replies)('carry %s', (_, reply, read, expected) => {
    expect(read(reply)).toEqual(expected);
  });

  it('carry errors with their code, message and pause', () => {
    const reply = refusalReply(BackupRequest.ship, new NiobeError('BUSY', 'too much', { retryAfterMs: 50 }));
    expect(() => readShipReply(reply)).toThrow(
      expect.objectContaining({ code: 'BUSY', message: 'too much', details: { retryAfterMs: 50 } }),
    );
  });

  it('refuse bytes that changed on their way', () => {
    const reply = rangeReply(bytes);
    reply[8]! ^= 1;
    expect(() => readRangeReply(reply)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it.each([
    ['a partition out of range', (frame: Uint8Array) => new DataView(frame.buffer).setUint16(30, 4096, true)],
    ['another protocol', (frame: Uint8Array) => (frame[0] = 2)],
    ['an unknown kind', (frame: Uint8Array) => (frame[1] = 8)],
  ])('refuse %s', (_, change) => {
    const frame = shipFrame().slice();
    change(frame);
    expect(() => readRequest(frame)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it.each<[string, Change]>([
    ['a piece beyond the longest segment', { kind: 'repair', ...at, offset: 8 * 1024 * 1024, bytes }],
    ['more committed bytes than there are', { kind: 'append', ...at, offset: 1, committedBytes: 5, bytes }],
  ])('refuse %s', (_, change) => {
    expect(() => readRequest(shipFrame([change]))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('read any bytes, or say that they cannot', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (input) => onlyTypedErrors(() => readRequest(input))));
  });

  it.each(requests)('survive mutations of %s', (_, request) => {
    fc.assert(
      fc.property(mutationOf(request), (input) => onlyTypedErrors(() => readRequest(input))),
      { numRuns: 500 },
    );
  });

  it.each(replies)('survive mutations of the reply with %s', (_, reply, read) => {
    fc.assert(
      fc.property(mutationOf(reply), (input) => onlyTypedErrors(() => read(input))),
      { numRuns: 200 },
    );
  });

  it('answers are for what was asked', () => {
    expect(() => openReply(putCatalogueReply(true), BackupRequest.ship)).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
  });
});

/** Some bytes changed, and perhaps cut or longer. */
function mutationOf(frame: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(frame.length - 1), fc.nat(255));
  return fc.tuple(fc.array(change, { maxLength: 4 }), fc.nat(frame.length + 8)).map(([changes, length]) => {
    const mutated = new Uint8Array(length);
    mutated.set(frame.subarray(0, length));
    for (const [i, byte] of changes) if (i < length) mutated[i] = byte;
    return mutated;
  });
}

function onlyTypedErrors(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isNiobeError(error)) throw error;
  }
}
