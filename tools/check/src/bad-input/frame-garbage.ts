import {
  Ack,
  backupSubject,
  GetFrameBuilder,
  OpKind,
  scanFrame,
  shardSubject,
  WriteFrameBuilder,
  type Bus,
} from '@niobe/grid';
import { isNiobeError, messageOf, type Random } from '@niobe/kernel';
import { connectAsTool } from '../system/connect.ts';
import type { LocalSystem } from '../system/local-system.ts';
import { mutate } from './mutation.ts';

const DEADLINE_MS = 2_000;
/** A source offset no cursor has: a write that stays readable is refused for it. */
const NO_SUCH_OFFSET = 123_456_789_012;
const SECTIONS = 4;
const OPERATIONS = 8;

/** Mutated frames to shards and backups. None of them may change a cell, end a process or stay without any answer of theirs. */
export class FrameGarbage {
  readonly name = 'NATS frames';
  readonly accepted = 0;
  readonly #bus: Bus;
  readonly #subjects: readonly string[];
  readonly #frames: readonly Uint8Array[] = [getFrame(), writeFrame(), scanEverything()];
  sent = 0;
  complaint = '';

  private constructor(bus: Bus, subjects: readonly string[]) {
    this.#bus = bus;
    this.#subjects = subjects;
  }

  static async open(system: LocalSystem): Promise<FrameGarbage> {
    const { bus } = await connectAsTool(system.nats.address, 'retail');
    const shards = system.shards.map((shard) => shardSubject('retail', shard.name));
    const backups = system.backups.map((backup) => backupSubject('retail', backup.name));
    return new FrameGarbage(bus, [...shards, ...backups]);
  }

  async send(random: Random): Promise<void> {
    this.sent += 1;
    const frame = this.#frames[random.below(this.#frames.length)] ?? new Uint8Array();
    const subject = this.#subjects[random.below(this.#subjects.length)] ?? '';
    try {
      await this.#bus.request(subject, mutate(frame, random), { deadlineMs: DEADLINE_MS });
    } catch (error) {
      if (!isNiobeError(error)) this.complaint ||= messageOf(error);
    }
  }

  async close(): Promise<void> {
    await this.#bus.close();
  }
}

function getFrame(): Uint8Array {
  const builder = new GetFrameBuilder();
  const key = new TextEncoder().encode('cube:sales@0/retail-events/0');
  builder.start(1);
  for (let partition = 0; partition < SECTIONS; partition++) {
    builder.beginSection(partition, 0);
    for (let i = 0; i < OPERATIONS; i++) builder.key(1, key, 0, key.length);
    builder.endSection();
  }
  return builder.finish();
}

function writeFrame(): Uint8Array {
  const builder = new WriteFrameBuilder();
  const key = new TextEncoder().encode('a key that nobody has');
  const body = Uint8Array.from({ length: 40 }, (_, i) => i);
  builder.start(1, Ack.DURABLE, true);
  for (let partition = 0; partition < SECTIONS; partition++) {
    builder.beginSection(partition, 0);
    builder.source('no source of ours', NO_SUCH_OFFSET, NO_SUCH_OFFSET + 1, Number.NaN);
    for (let i = 0; i < OPERATIONS; i++) builder.op(OpKind.MERGE, 16 + i, 0, key, 0, key.length, body, 0, body.length);
    builder.endSection();
  }
  return builder.finish();
}

function scanEverything(): Uint8Array {
  const positions = Array.from({ length: SECTIONS }, (_, partition) => ({ partition, epoch: 0, cursor: 0 }));
  return scanFrame(1, { schemaId: 16, clauses: new Uint8Array(2), limitBytes: 65_536 }, positions);
}
