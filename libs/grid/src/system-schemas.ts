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

/** Id of {@link EDGE_CHUNK_SCHEMA}. */
export const EDGE_CHUNK_SCHEMA_ID = 3;

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

/** Neighbours in one chunk of a vertex's adjacency: 64 KiB of ids. */
export const EDGE_CHUNK_IDS_MAX = 8192;

/**
 * Neighbours of a vertex, ascending by id, in the vertex's partition. Found from its adjacency cell, which names the first chunk; each
 * names the next.
 */
export const EDGE_CHUNK_SCHEMA: SchemaDeclaration = {
  name: 'niobe.edge-chunk',
  key: 'none',
  fields: {
    next: { type: 'id', optional: true },
    refs: { type: 'id', array: true, maxItems: EDGE_CHUNK_IDS_MAX },
  },
};

/** Every system schema with its id. */
export const SYSTEM_SCHEMAS: readonly { readonly id: number; readonly declaration: SchemaDeclaration }[] = [
  { id: CURSOR_SCHEMA_ID, declaration: CURSOR_SCHEMA },
  { id: SEEN_SCHEMA_ID, declaration: SEEN_SCHEMA },
  { id: EDGE_CHUNK_SCHEMA_ID, declaration: EDGE_CHUNK_SCHEMA },
];
