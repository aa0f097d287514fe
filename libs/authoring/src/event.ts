import type { EventFieldDefinition, NoOtherKeys, SingleOf } from './field.ts';
import type { JsonRecord } from './record.ts';

/** Declared fields of events, by name. */
export type EventFields = Readonly<Record<string, EventFieldDefinition>>;

/** Fields whose value can be the key of a record. */
type KeyField<Fields> = SingleOf<Fields, { readonly type: 'text' | 'enum' | 'i32' | 'i64' | 'u32' | 'u64' }>;

/** An event type: the JSON of its file, with its types. */
export interface EventDefinition<
  Type extends string = string,
  Topic extends string = string,
  Fields extends EventFields = EventFields,
> {
  readonly type: Type;
  readonly topic: Topic;
  readonly key: string | null;
  readonly user?: string;
  readonly fields: Fields;
}

/** Declares an event type. `key` and `user` name fields that can be so. */
export function defineEvent<
  const Type extends string,
  const Topic extends string,
  const Fields extends EventFields,
>(definition: {
  readonly type: Type;
  readonly topic: Topic;
  readonly key: KeyField<Fields> | null;
  readonly user?: KeyField<Fields>;
  readonly fields: Fields & NoOtherKeys<Fields, EventFieldDefinition>;
}): EventDefinition<Type, Topic, Fields> {
  return definition;
}

/** The `data` of an event as it is posted. */
export type EventDataOf<Event extends EventDefinition> = JsonRecord<Event['fields']>;

/** An event as it is posted to the collector. */
export interface EventOf<Event extends EventDefinition> {
  readonly type: Event['type'];
  /** Given by the collector where absent. */
  readonly id?: string;
  readonly source?: string;
  /** RFC 3339, or Unix milliseconds; the arrival where absent. */
  readonly time?: string | number;
  readonly data: EventDataOf<Event>;
}
