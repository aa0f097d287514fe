import { NiobeError } from '@niobe/kernel';
import { DEAD_SUFFIX, type Deployment, type TopicDeclaration } from './deployment-declaration.ts';
import type { TopicSpec } from './event-log.ts';
import { EventType } from './event-type.ts';

/** Names shown in an error that says what exists. */
const NAMES_SHOWN = 20;

/** The compiled event types and the topics of a deployment, by name. */
export class EventCatalogue {
  readonly types: readonly EventType[];
  readonly topics: readonly TopicDeclaration[];
  readonly #types: ReadonlyMap<string, EventType>;
  readonly #topics: ReadonlyMap<string, TopicDeclaration>;

  constructor(deployment: Pick<Deployment, 'events' | 'topics'>) {
    this.types = deployment.events.map((declaration) => new EventType(declaration));
    this.topics = deployment.topics;
    this.#types = new Map(this.types.map((type) => [type.name, type]));
    this.#topics = new Map(this.topics.map((topic) => [topic.name, topic]));
  }

  /** Throws `UNKNOWN_EVENT_TYPE`, naming what exists. */
  type(name: string): EventType {
    const type = this.#types.get(name);
    if (type !== undefined) return type;
    const names = this.types.slice(0, NAMES_SHOWN).map((known) => known.name);
    throw new NiobeError('UNKNOWN_EVENT_TYPE', `type: no such event type; declared are ${names.join(', ')}`, {
      path: 'type',
    });
  }

  /** Throws `NOT_FOUND`, naming what exists. */
  topic(name: string): TopicDeclaration {
    const topic = this.#topics.get(name);
    if (topic !== undefined) return topic;
    const names = this.topics.slice(0, NAMES_SHOWN).map((known) => known.name);
    throw new NiobeError('NOT_FOUND', `no such topic; declared are ${names.join(', ')}`);
  }
}

/** The topic for dead letters of `topic`. */
export function deadTopic(topic: string): string {
  return topic + DEAD_SUFFIX;
}

/** The topics a deployment needs: each declared one and the one of its dead letters, which needs no partitions. */
export function topicSpecs(topics: readonly TopicDeclaration[]): TopicSpec[] {
  return topics.flatMap(({ name, partitions, retentionMs, retentionBytes }) => [
    { name, partitions, retentionMs, retentionBytes },
    { name: deadTopic(name), partitions: 1, retentionMs, retentionBytes },
  ]);
}
