import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deferred, NiobeError, type ErrorCode } from '@niobe/kernel';
import { backupSubject } from '@niobe/grid';
import { BACKUPS, Cluster, DEPLOYMENT, PARTITION } from '../../test/cluster.ts';
import { WAITING_BYTES_MAX } from '../limits.ts';
import { BackupClient } from './backup-client.ts';
import type { Change } from './backup-store.ts';
import { ShipFrameWriter, type ShipVerdict } from './ship-frame.ts';

const ATTEMPT = { epoch: 1, owner: 'shard-0@1' };
const NAME = BACKUPS[0]!;

describe('BackupServer', () => {
  let cluster: Cluster;
  let client: BackupClient;
  let stream = 0;

  beforeEach(async () => {
    cluster = new Cluster();
    cluster.startBackups();
    client = new BackupClient(cluster.network.connect(), DEPLOYMENT, NAME);
    stream = await register();
  });
  afterEach(() => cluster.backups[0].server?.close());

  async function register(attempt = ATTEMPT): Promise<number> {
    const registration = await cluster.settle(client.register(PARTITION, attempt));
    if (registration.kind !== 'OK') throw new Error('fenced');
    return registration.stream;
  }

  function frame(order: number, ...changes: Change[]): Uint8Array {
    const writer = new ShipFrameWriter(ATTEMPT.owner, 1024);
    for (const [i, change] of changes.entries())
      writer.add({ partition: PARTITION, epoch: ATTEMPT.epoch, stream, order: order + i, change });
    return writer.finish();
  }

  function ship(order: number, ...changes: Change[]): Promise<ShipVerdict[]> {
    return cluster.settle(client.ship(frame(order, ...changes)));
  }

  const kinds = (verdicts: readonly ShipVerdict[]): string[] => verdicts.map(({ kind }) => kind);

  it('answers when the round is durable, and not before', async () => {
    const synced = deferred<void>();
    cluster.backups[0].disk.sync = () => synced.promise;
    let isAnswered = false;
    const answer = client.ship(frame(1, append(0, 'abc'))).finally(() => (isAnswered = true));
    await cluster.pass(100);
    expect(isAnswered).toBe(false);
    synced.resolve();
    expect(kinds(await cluster.settle(answer))).toEqual(['OK']);
  });

  it('takes all that waits in one round', async () => {
    const { disk } = cluster.backups[0];
    const before = disk.syncs;
    const bus = cluster.network.connect();
    const others = Array.from({ length: 20 }, (_, i) =>
      new BackupClient(bus, DEPLOYMENT, NAME).register(i + 10, ATTEMPT),
    );
    await cluster.settle(Promise.all(others));
    expect(disk.syncs - before).toBeLessThanOrEqual(2);
  });

  it('takes each section once and in its order', async () => {
    expect(kinds(await ship(1, append(0, 'abc'), append(3, 'def')))).toEqual(['OK', 'OK']);
    expect(kinds(await ship(2, append(3, 'def')))).toEqual(['OK']);
    expect(kinds(await ship(4, append(6, 'x')))).toEqual(['STALE']);
    expect(kinds(await ship(3, append(9, 'x'), append(6, 'x')))).toEqual(['GAP', 'STALE']);
    expect(kinds(await ship(3, append(6, 'ghi')))).toEqual(['OK']);
    expect(await text()).toBe('abcdefghi');
  });

  it('does not let a late section undo a later one', async () => {
    await ship(1, append(0, 'abc'), free(), append(0, 'xyz'));
    expect(kinds(await ship(2, free()))).toEqual(['OK']);
    expect(await text()).toBe('xyz');
  });

  it('knows no stream of before: not of an earlier registration, nor of its own past life', async () => {
    const old = frame(1, append(0, 'abc'));
    const late = old.slice();
    stream = await register();
    expect(kinds(await cluster.settle(client.ship(old)))).toEqual(['STALE']);
    cluster.backups[0].kill();
    cluster.backups[0].start();
    expect(kinds(await cluster.settle(client.ship(late)))).toEqual(['STALE']);
  });

  it('keeps to the attempt it promised', async () => {
    await register({ epoch: 2, owner: 'shard-1@9' });
    expect(kinds(await ship(1, append(0, 'abc')))).toEqual(['STALE']);
    const registration = await cluster.settle(client.register(PARTITION, ATTEMPT));
    expect(registration).toEqual({ kind: 'FENCED', promised: { epoch: 2, owner: 'shard-1@9' } });
  });

  it('tells what it holds, whole or promises alone', async () => {
    await ship(1, append(0, 'abc'), { kind: 'complete', completeEpoch: 1 });
    const holding = { partition: PARTITION, promised: ATTEMPT, completeEpoch: 1 };
    const segments = [{ segment: 3, epoch: 1, heldBytes: 3, committedBytes: 3 }];
    expect(await cluster.settle(client.inventory(PARTITION))).toEqual({ ...holding, segments });
    const [promise, other] = await cluster.settle(client.promises([PARTITION, 6]));
    expect(promise).toEqual({ ...holding, segments: [] });
    expect(other).toEqual({ partition: 6, promised: null, completeEpoch: 0, segments: [] });
  });

  it('keeps a catalogue', async () => {
    expect(await cluster.settle(client.catalogue())).toBeNull();
    const catalogue = { revision: 3, bytes: new Uint8Array([1, 2]) };
    expect(await cluster.settle(client.putCatalogue(catalogue))).toBe(true);
    expect(await cluster.settle(client.putCatalogue({ ...catalogue, revision: 2 }))).toBe(false);
    expect(await cluster.settle(client.catalogue())).toEqual(catalogue);
  });

  it('says BUSY, and does nothing, when more than its bound waits', async () => {
    const sender = new BackupClient(cluster.network.connect(), DEPLOYMENT, NAME);
    const stuck = deferred<void>();
    cluster.backups[0].disk.sync = () => stuck.promise;
    const blob = new Uint8Array(1_000_000);
    const answers: Promise<string>[] = [];
    for (let i = 0; i < 20 + WAITING_BYTES_MAX / blob.length; i++) {
      answers.push(sender.putCatalogue({ revision: i, bytes: blob }).then(String, (error: NiobeError) => error.code));
      if (i % 40 === 39) await cluster.pass(1);
    }
    await cluster.pass(1);
    stuck.resolve();
    const outcomes = new Set(await cluster.settle(Promise.all(answers)));
    expect([...outcomes].sort()).toEqual(['BUSY', 'true']);
    expect(cluster.backups[0].server?.refusal).toBeNull();
  });

  it('refuses while the disk is full, and goes on when it is not', async () => {
    const { disk, server } = cluster.backups[0];
    disk.refusal = new NiobeError('DISK_FULL', 'no space is left', { retryAfterMs: 500 });
    await expectCode(ship(1, append(0, 'abc')), 'DISK_FULL');
    expect(server?.refusal?.code).toBe('DISK_FULL');
    expect(disk.holding(PARTITION).segments).toEqual([]);
    disk.refusal = null;
    expect(kinds(await ship(1, append(0, 'abc')))).toEqual(['OK']);
    expect(server?.refusal).toBeNull();
  });

  it('takes nothing more when the disk has failed', async () => {
    const { disk } = cluster.backups[0];
    disk.sync = () => Promise.reject(new NiobeError('UNAVAILABLE', 'the disk is gone'));
    await expectCode(ship(1, append(0, 'abc')), 'UNAVAILABLE');
    await expectCode(ship(1, append(0, 'abc')), 'UNAVAILABLE');
    await expectCode(client.inventory(PARTITION), 'UNAVAILABLE');
  });

  it('answers what it cannot read with the reason, and serves on', async () => {
    const bus = cluster.network.connect();
    const subject = backupSubject(DEPLOYMENT, NAME);
    for (const bad of [new Uint8Array(0), new Uint8Array([1]), new Uint8Array([1, 6, 9]), new Uint8Array([9, 9])]) {
      const reply = await cluster.settle(bus.request(subject, bad, { deadlineMs: 1_000 }));
      expect(reply[2]).not.toBe(0);
    }
    expect(kinds(await ship(1, append(0, 'abc')))).toEqual(['OK']);
  });

  async function text(): Promise<string> {
    const range = { partition: PARTITION, segment: 3, segmentEpoch: 1, offset: 0, bytes: 100 };
    return new TextDecoder().decode(await cluster.settle(client.read(range)));
  }

  async function expectCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
    await expect(cluster.settle(promise)).rejects.toThrow(expect.objectContaining({ code }));
  }
});

function append(offset: number, piece: string): Change {
  const bytes = new TextEncoder().encode(piece);
  return { kind: 'append', segment: 3, segmentEpoch: 1, offset, committedBytes: offset + bytes.length, bytes };
}

function free(): Change {
  return { kind: 'free', segment: 3, segmentEpoch: 1 };
}
