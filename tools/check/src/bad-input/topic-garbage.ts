import type { Random } from '@niobe/kernel';
import type { EventLine } from '../batch-sender.ts';
import type { LocalSystem } from '../system/local-system.ts';
import { openTopicWriter, type TopicWriter } from '../topic-writer.ts';
import { mutate } from './mutation.ts';

const TOPIC = 'retail-events';

/** Records that are no events, written straight to the topic. JSON's own parser is the judge of what is broken for certain. */
export class TopicGarbage {
  readonly name = 'topic records';
  readonly accepted = 0;
  readonly complaint = '';
  readonly #writer: TopicWriter;
  readonly #lines: readonly EventLine[];
  sent = 0;

  private constructor(writer: TopicWriter, lines: readonly EventLine[]) {
    this.#writer = writer;
    this.#lines = lines;
  }

  static async open(system: LocalSystem, lines: readonly EventLine[]): Promise<TopicGarbage> {
    return new TopicGarbage(await openTopicWriter(system.kafka.address), lines);
  }

  async send(random: Random): Promise<void> {
    this.sent += 1;
    const line = this.#lines[random.below(this.#lines.length)];
    const event = JSON.parse(line?.json ?? '{}') as { type: string; data: object };
    const { value, type } = random.below(2) === 0 ? brokenText(event, random) : wrongField(event, random);
    const headers = { ce_specversion: '1.0', ce_type: type, ce_source: 'garbage', ce_id: `garbage-${this.sent}` };
    await this.#writer.send(TOPIC, [{ key: `garbage-${this.sent}`, value, headers }]);
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}

interface Garbage {
  readonly value: Uint8Array;
  readonly type: string;
}

function brokenText(event: { type: string; data: object }, random: Random): Garbage {
  const valid = new TextEncoder().encode(JSON.stringify(event.data));
  for (;;) {
    const value = mutate(valid, random);
    if (!isJson(value)) return { value, type: event.type };
  }
}

function isJson(value: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value));
    return true;
  } catch {
    return false;
  }
}

function wrongField(event: { type: string; data: object }, random: Random): Garbage {
  const wrong = [
    { quantity: 'many' },
    { price: '1.23456' },
    { product: 7 },
    { country: null },
    { quantity: 1e300 },
    { price: [] },
  ];
  const data = { ...event.data, ...wrong[random.below(wrong.length)] };
  const type = random.below(4) === 0 ? 'no-such-type' : event.type;
  return { value: new TextEncoder().encode(JSON.stringify(data)), type };
}
