import { NiobeError } from '@niobe/kernel';
import { parseCatalogueSnapshot, parseFacts, type CatalogueSnapshot, type Facts } from '@niobe/grid';
import type { Catalogue } from '@niobe/replication';

/**
 * What each backup server keeps beside the cells: the facts and the schemas, as JSON. It is what the shared maps are rebuilt from
 * when the store of NATS is lost, because without it nobody could tell what the bytes of a cell mean.
 */
export interface StoredCatalogue {
  readonly facts: Facts;
  readonly schemas: CatalogueSnapshot;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Room between the revisions of two schema ids: a schema has fewer revisions than that. */
const REVISIONS_PER_ID = 2 ** 20;

/** Rises with every schema and every revision of one, so that a backup server never replaces a newer catalogue by an older. */
export function revisionOf(schemas: CatalogueSnapshot): number {
  const raised = schemas.schemas.reduce((sum, schema) => sum + schema.revision - 1, 0);
  return schemas.nextId * REVISIONS_PER_ID + raised;
}

/** The form in which a backup server keeps it. */
export function encodeCatalogue(catalogue: StoredCatalogue): Catalogue {
  return { revision: revisionOf(catalogue.schemas), bytes: encoder.encode(JSON.stringify(catalogue)) };
}

/** Reads {@link encodeCatalogue}. Throws `MALFORMED` naming the backup server. */
export function decodeCatalogue(catalogue: Catalogue, backup: string): StoredCatalogue {
  try {
    const value = JSON.parse(decoder.decode(catalogue.bytes)) as { facts?: unknown; schemas?: unknown };
    return { facts: parseFacts(value.facts), schemas: parseCatalogueSnapshot(value.schemas) };
  } catch (error) {
    const message = `the catalogue that ${backup} keeps is not readable: replace it by that of another backup server`;
    throw new NiobeError('MALFORMED', message, {}, error);
  }
}
