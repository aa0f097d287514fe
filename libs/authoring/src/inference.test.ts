import { describe, expect, it } from '@jest/globals';
import type { GeoPoint, JsonValue } from '@niobe/cells';
import {
  defineCell,
  defineCube,
  defineDeployment,
  defineEdge,
  defineEvent,
  defineMapping,
  on,
  type CountersOf,
  type EventDataOf,
  type EventOf,
  type KeyOf,
  type NewRecordOf,
  type RecordOf,
} from './index.ts';

/**
 * What the compiler infers and what it refuses. The assertions are checked by `tsc`: a line under `@ts-expect-error` that compiles is an
 * error, and so is an `expectEqual` of types that differ.
 */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only where `A` and `B` are the same type. */
const expectEqual = <A, B>(same: Equal<A, B>): void => expect(same).toBe(true);

const visit = defineEvent({
  type: 'visit',
  topic: 'visits',
  key: 'guest',
  fields: {
    guest: { type: 'text', maxBytes: 64 },
    room: { type: 'u32' },
    bill: { type: 'decimal', scale: 2, optional: true },
    bytes: { type: 'i64' },
    stay: { type: 'enum', values: ['day', 'night'] },
    tags: { type: 'text', array: true, optional: true },
    left: { type: 'timestamp' },
  },
});

const guest = defineCell({
  name: 'guest',
  key: 'text',
  fields: {
    spent: { type: 'decimal', scale: 2, optional: true, merge: 'add' },
    lastLeft: { type: 'timestamp', optional: true, merge: 'max' },
    stay: { type: 'enum', values: ['day', 'night'], optional: true },
    friends: { type: 'id', array: true },
    visits: { type: 'u64' },
  },
});

const room = defineCell({ name: 'room', key: 'integer', fields: { name: { type: 'text', optional: true } } });

const bill = defineCell({
  name: 'bill',
  key: 'text',
  fields: {
    total: { type: 'decimal', scale: 2 },
    exact: { type: 'decimal', scale: 3, optional: true },
    by: { type: 'enum', values: ['day', 'week'], optional: true },
  },
});

const address = defineCell({
  name: 'address',
  key: 'none',
  fields: { street: { type: 'text' }, at: { type: 'geo', optional: true } },
});

const order = defineCell({
  name: 'order',
  key: 'text',
  fields: {
    state: { type: 'enum', values: ['open', 'paid'], default: 'open' },
    to: { schema: address },
    lines: {
      type: 'record',
      array: true,
      fields: { product: { type: 'text' }, price: { type: 'decimal', scale: 2 }, count: { type: 'u16', default: 1 } },
    },
    scores: { type: 'f32', array: 3, nullItems: true },
    tags: { type: 'dict', array: true, merge: 'setUnion' },
    where: { type: 'pos2', optional: true },
    extra: { type: 'json' },
    due: { type: 'date', optional: true, min: '2000-01-01' },
  },
  indexes: { byProduct: { on: 'lines.product', kind: 'hash' }, byStreet: { on: 'to.street', kind: 'sorted' } },
});

const stayed = defineEdge({
  name: 'stayed',
  from: guest,
  to: room,
  counters: { times: { type: 'u32' }, lastLeft: { type: 'timestamp', merge: 'max' } },
});
const near = defineEdge({ name: 'near', from: room, to: room, directed: false });

const stays = defineMapping({
  name: 'stays',
  on: [
    on(visit, {
      vertices: [{ schema: guest, key: 'guest', set: { spent: 'bill', lastLeft: 'left', stay: 'stay' } }],
      edges: [{ edge: stayed, from: 'guest', to: 'room', add: { times: 1, lastLeft: 'time' } }],
    }),
  ],
});

describe('types of records', () => {
  it('are those that a client reads and takes', () => {
    expectEqual<
      RecordOf<typeof guest>,
      {
        spent: string | null;
        lastLeft: number | null;
        stay: 'day' | 'night' | null;
        friends: readonly number[];
        visits: number | bigint;
      }
    >(true);
    expectEqual<
      NewRecordOf<typeof guest>,
      {
        friends: readonly number[];
        visits: number | bigint;
        spent?: string | number | null;
        lastLeft?: number | null;
        stay?: 'day' | 'night' | null;
      }
    >(true);
    expectEqual<KeyOf<typeof guest>, string>(true);
    expectEqual<KeyOf<typeof room>, number>(true);
  });

  it('hold records, lists and what has a default', () => {
    expectEqual<
      RecordOf<typeof order>,
      {
        state: 'open' | 'paid';
        to: { street: string; at: GeoPoint | null };
        lines: readonly { product: string; price: string; count: number }[];
        scores: readonly (number | null)[];
        tags: readonly string[];
        where: readonly [number, number] | null;
        extra: JsonValue;
        due: string | null;
      }
    >(true);
    expectEqual<
      NewRecordOf<typeof order>,
      {
        to: { street: string; at?: GeoPoint | null };
        lines: readonly { product: string; price: string | number; count?: number }[];
        scores: readonly (number | null)[];
        tags: readonly string[];
        extra: JsonValue;
        where?: readonly [number, number] | null;
        due?: string | null;
        state?: 'open' | 'paid';
      }
    >(true);
  });

  it('are those of an event as it is posted, and of the counters of an edge', () => {
    expectEqual<
      EventDataOf<typeof visit>,
      {
        guest: string;
        room: number;
        bytes: number | string;
        stay: 'day' | 'night';
        left: string | number;
        bill?: string | number | null;
        tags?: readonly string[] | null;
      }
    >(true);
    expectEqual<EventOf<typeof visit>['type'], 'visit'>(true);
    expectEqual<CountersOf<typeof stayed>, { times: number | null; lastLeft: number | null }>(true);
  });
});

describe('what does not compile', () => {
  it('in a cell or an event', () => {
    // @ts-expect-error -- a decimal needs its scale
    defineCell({ name: 'a', key: 'text', fields: { price: { type: 'decimal' } } });
    // @ts-expect-error -- no such key of a field
    defineCell({ name: 'a', key: 'text', fields: { price: { type: 'u32', optinal: true } } });
    // @ts-expect-error -- an integer has no scale
    defineCell({ name: 'a', key: 'text', fields: { price: { type: 'u32', scale: 2 } } });
    // @ts-expect-error -- times cannot be added
    defineCell({ name: 'a', key: 'text', fields: { at: { type: 'timestamp', merge: 'add' } } });
    // @ts-expect-error -- text has no order to be bounded by
    defineCell({ name: 'a', key: 'text', fields: { name: { type: 'text', max: 'z' } } });
    // @ts-expect-error -- no such key of a field in a record
    defineCell({ name: 'a', key: 'text', fields: { in: { type: 'record', fields: { n: { type: 'u8', scale: 1 } } } } });
    // @ts-expect-error -- a record is kept or replaced
    defineCell({ name: 'a', key: 'text', fields: { in: { type: 'record', fields: {}, merge: 'add' } } });
    const towns = {
      name: 'a',
      key: 'text',
      fields: { in: { type: 'record', fields: { town: { type: 'text' } } } },
    } as const;
    // @ts-expect-error -- `in.city` is no field
    defineCell({ ...towns, indexes: { byCity: { on: 'in.city', kind: 'hash' } } });
    // @ts-expect-error -- cell ids make no declared key
    defineCell({ name: 'a', key: 'id', fields: { at: { type: 'timestamp' } } });
    // @ts-expect-error -- `nobody` is no field
    defineEvent({ type: 'a', topic: 't', key: 'nobody', fields: { user: { type: 'text' } } });
    // @ts-expect-error -- an array is no key
    defineEvent({ type: 'a', topic: 't', key: 'users', fields: { users: { type: 'text', array: true } } });
    // @ts-expect-error -- events do not merge
    defineEvent({ type: 'a', topic: 't', key: null, fields: { user: { type: 'u32', merge: 'add' } } });
    expect(guest.name).toBe('guest');
  });

  it('in an edge type', () => {
    // @ts-expect-error -- `low` is no type of a counter
    defineEdge({ name: 'a', from: guest, to: room, counters: { times: { type: 'low' } } });
    // @ts-expect-error -- times cannot be added
    defineEdge({ name: 'a', from: guest, to: room, counters: { at: { type: 'timestamp' } } });
    // @ts-expect-error -- a cell schema, not its name
    defineEdge({ name: 'a', from: 'guest', to: room });
    expect(near.directed).toBe(false);
  });

  it('in a mapping', () => {
    // @ts-expect-error -- `visitor` is no field of the event
    on(visit, { vertices: [{ schema: guest, key: 'visitor' }] });
    // @ts-expect-error -- the key is text
    on(visit, { vertices: [{ schema: guest, key: 'room' }] });
    // @ts-expect-error -- `paid` is no field of the vertex
    on(visit, { vertices: [{ schema: guest, key: 'guest', set: { paid: 'bill' } }] });
    // @ts-expect-error -- `price` is no field of the event
    on(visit, { vertices: [{ schema: guest, key: 'guest', set: { spent: 'price' } }] });
    // @ts-expect-error -- text does not fit a decimal
    on(visit, { vertices: [{ schema: guest, key: 'guest', set: { spent: 'guest' } }] });
    // @ts-expect-error -- the time of the event does not fit a decimal
    on(visit, { vertices: [{ schema: guest, key: 'guest', set: { spent: 'time' } }] });
    // @ts-expect-error -- nor a list of cell ids
    on(visit, { vertices: [{ schema: guest, key: 'guest', set: { friends: 'time' } }] });
    // @ts-expect-error -- what must be there does not come from what may be absent
    on(visit, { vertices: [{ schema: bill, key: 'guest', set: { total: 'bill' } }] });
    // @ts-expect-error -- another scale
    on(visit, { vertices: [{ schema: bill, key: 'guest', set: { exact: 'bill' } }] });
    // @ts-expect-error -- `night` is no value of it
    on(visit, { vertices: [{ schema: bill, key: 'guest', set: { by: 'stay' } }] });
    // @ts-expect-error -- the other way round
    on(visit, { edges: [{ edge: stayed, from: 'room', to: 'guest' }] });
    // @ts-expect-error -- `nights` is no counter
    on(visit, { edges: [{ edge: stayed, from: 'guest', to: 'room', add: { nights: 1 } }] });
    // @ts-expect-error -- 64 bits do not fit 32
    on(visit, { edges: [{ edge: stayed, from: 'guest', to: 'room', add: { times: 'bytes' } }] });
    // @ts-expect-error -- a time is no number
    on(visit, { edges: [{ edge: stayed, from: 'guest', to: 'room', add: { lastLeft: 1 } }] });
    // @ts-expect-error -- an edge type without counters
    on(visit, { edges: [{ edge: near, from: 'room', to: 'room', add: { times: 1 } }] });
    expect(stays.on[0]!.event.type).toBe('visit');
  });

  it('in a cube', () => {
    const rest = { name: 'c', on: [visit], window: '1h', keep: '7d' } as const;
    // @ts-expect-error -- `country` is no field of the event
    defineCube({ ...rest, by: [['country']], measures: { visits: 'count' } });
    // @ts-expect-error -- an array is no dimension
    defineCube({ ...rest, by: [['tags']], measures: { visits: 'count' } });
    // @ts-expect-error -- text has no sum
    defineCube({ ...rest, by: [[]], measures: { guests: { sum: 'guest' } } });
    // @ts-expect-error -- `avg` is no measure
    defineCube({ ...rest, by: [[]], measures: { bill: { avg: 'bill' } } });
    // @ts-expect-error -- no length
    defineCube({ ...rest, keep: 'a week', by: [[]], measures: { visits: 'count' } });
    expect(rest.on[0].topic).toBe('visits');
  });

  it('in a deployment', () => {
    const topics = [{ name: 'visits' }] as const;
    const whole = { name: 'hotel', shards: ['shard-0'], topics, events: [visit], cells: [guest, room] } as const;
    expect(defineDeployment({ ...whole, edges: [stayed, near], mappings: [stays] }).mappings).toHaveLength(1);
    // @ts-expect-error -- the topic is not declared
    defineDeployment({ ...whole, topics: [{ name: 'other' }] });
    // @ts-expect-error -- the cell schema `room` is not declared
    defineDeployment({ ...whole, cells: [guest], edges: [stayed] });
    // @ts-expect-error -- the edge type is not declared
    defineDeployment({ ...whole, edges: [near], mappings: [stays] });
    const counted = defineCube({
      name: 'visits',
      on: [visit],
      by: [['stay']],
      window: 'all',
      measures: { visits: 'count' },
      keep: 'forever',
    });
    // @ts-expect-error -- the event type is not declared
    defineDeployment({ ...whole, events: [], cubes: [counted] });
  });
});
