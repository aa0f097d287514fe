import {
  compileSchema,
  type CellRecord,
  type CompiledSchema,
  type IndexDeclaration,
  type SchemaDeclaration,
} from '@niobe/cells';

/** A schema with a field of each kind that indexes tell apart, and an index of each kind on them. */

const DECLARATION: SchemaDeclaration = {
  name: 'offers',
  key: 'integer',
  fields: {
    price: { type: 'i32', optional: true },
    score: { type: 'f64', optional: true },
    stock: { type: 'i64', optional: true },
    title: { type: 'text', optional: true },
    sizes: { type: 'i32', array: true, optional: true },
    tags: { type: 'text', array: true, optional: true },
    blob: { type: 'bytes', optional: true, maxBytes: 1024 * 1024 },
  },
};

export const OFFER_INDEXES: Readonly<Record<string, IndexDeclaration>> = {
  by_price: { on: 'price', kind: 'sorted' },
  by_score: { on: 'score', kind: 'sorted' },
  by_stock: { on: 'stock', kind: 'sorted' },
  by_title: { on: 'title', kind: 'sorted' },
  by_sizes: { on: 'sizes', kind: 'sorted' },
  by_tags: { on: 'tags', kind: 'sorted' },
  title_hash: { on: 'title', kind: 'hash' },
  score_hash: { on: 'score', kind: 'hash' },
  tags_hash: { on: 'tags', kind: 'hash' },
};

/** The offers schema in a revision that declares these indexes. */
export function offers(revision: number, indexes: readonly string[] = Object.keys(OFFER_INDEXES)): CompiledSchema {
  const declared = Object.fromEntries(indexes.map((name) => [name, OFFER_INDEXES[name]!]));
  return compileSchema(30, revision, { ...DECLARATION, indexes: declared });
}

/** An offer with nothing but what is given. */
export function offer(record: CellRecord): CellRecord {
  return { price: null, score: null, stock: null, title: null, sizes: null, tags: null, blob: null, ...record };
}
