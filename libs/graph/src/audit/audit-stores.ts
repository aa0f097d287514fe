import type { SchemaTable } from '@niobe/cells';
import { assert } from '@niobe/kernel';
import { SCAN_END, type PartitionStore } from '@niobe/store';
import type { EdgeType } from '../edges/edge-type.ts';
import { EdgeAudit, type EdgeAuditReport } from './edge-audit.ts';

/** Audits the graph that lies in all partitions of a grid. O(edges log degree); for tests. */
export function auditStores(
  stores: Iterable<PartitionStore>,
  edges: readonly EdgeType[],
  schemas: SchemaTable,
): EdgeAuditReport {
  const audit = new EdgeAudit(edges, schemas);
  for (const store of stores)
    for (const name of audit.schemaNames) takeAll(audit, store, schemas.byName(name)?.id ?? 0);
  return audit.finish();
}

function takeAll(audit: EdgeAudit, store: PartitionStore, schemaId: number): void {
  if (schemaId === 0) return;
  const end = store.scan(schemaId, null, 0, Infinity, Infinity, (slot) =>
    audit.take(
      store.idOf(slot),
      schemaId,
      store.bytes,
      store.keyStart(slot),
      store.bodyStart(slot),
      store.bodyBytes(slot),
    ),
  );
  assert(end === SCAN_END, 'a scan without bounds comes to its end');
}
