import type { SchemaDeclaration } from '@niobe/cells';

/**
 * Schemas of cells that the grid keeps for itself. Their ids are below {@link FIRST_SCHEMA_ID} and fixed for ever; they are known
 * without the catalogue.
 */

/** Ids from here on are given by the catalogue. */
export const FIRST_SCHEMA_ID = 16;

/** Id of {@link CURSOR_SCHEMA}. */
export const CURSOR_SCHEMA_ID = 1;

/** Id of {@link SEEN_SCHEMA}. */
export const SEEN_SCHEMA_ID = 2;

/** `applied[source]` of a partition: everything of the source below `offset` is in. Written in the batch that it counts. */
export const CURSOR_SCHEMA: SchemaDeclaration = {
  name: 'niobe.cursor',
  key: 'text',
  fields: {
    offset: { type: 'u64' },
    watermark: { type: 'timestamp', optional: true },
  },
};

/**
 * Event ids first seen in the consumed offsets `first` to `last`: columns of 16 byte hashes, offsets (u53) and record times.
 * `lastSeenS` is the newest record's Kafka time, by which the cell expires.
 */
export const SEEN_SCHEMA: SchemaDeclaration = {
  name: 'niobe.seen',
  key: 'text',
  fields: {
    first: { type: 'u64' },
    last: { type: 'u64' },
    lastSeenS: { type: 'u32' },
    hashes: { type: 'bytes', maxBytes: 512 * 1024 },
    offsets: { type: 'bytes', maxBytes: 256 * 1024 },
    times: { type: 'bytes', maxBytes: 256 * 1024 },
  },
};

/** Every system schema with its id. */
export const SYSTEM_SCHEMAS: readonly { readonly id: number; readonly declaration: SchemaDeclaration }[] = [
  { id: CURSOR_SCHEMA_ID, declaration: CURSOR_SCHEMA },
  { id: SEEN_SCHEMA_ID, declaration: SEEN_SCHEMA },
];
