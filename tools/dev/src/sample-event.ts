import type { EventFieldDeclaration, EventTypeDeclaration } from '@niobe/events';

/** An event that a deployment takes, made from its declaration. */
export interface SampleEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, SampleValue>>;
}

/** JSON value of a field. */
export type SampleValue = string | number | boolean | readonly SampleValue[];

const SAMPLE_TEXT = 'demo';

/** With one value for each field of the type that must be there, and for its key and user. */
export function sampleEvent({ type, fields, key, user }: EventTypeDeclaration): SampleEvent {
  const data: Record<string, SampleValue> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (field.optional !== true || name === key || name === user)
      data[name] = field.array === true ? [sampleValue(field)] : sampleValue(field);
  }
  return { type, data };
}

function sampleValue(field: EventFieldDeclaration): SampleValue {
  switch (field.type) {
    case 'bool':
      return true;
    case 'i32':
    case 'i64':
    case 'u32':
    case 'u64':
    case 'f64':
      return 1;
    case 'decimal':
      return (1).toFixed(field.scale ?? 0);
    case 'enum':
      return field.values?.[0] ?? '';
    case 'timestamp':
      return '2020-01-01T00:00:00Z';
    case 'bytes':
      return 'AA==';
    case 'text':
      return SAMPLE_TEXT;
  }
}
