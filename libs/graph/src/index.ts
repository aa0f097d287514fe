export { isAdjacency, type Direction } from './edges/adjacency-schema.ts';
export { compileEdgeTypes, type EdgeFile } from './edges/compile-edge-types.ts';
export {
  type CounterDeclaration,
  type CounterMerge,
  type CounterType,
  type EdgeDeclaration,
} from './edges/edge-declaration.ts';
export { EdgeType, type EdgeCounter } from './edges/edge-type.ts';
export { Adjacency, VERTEX_GONE } from './lists/adjacency.ts';
export { degreeAt } from './lists/list-cells.ts';
export { NeighbourReader } from './lists/neighbour-reader.ts';
export { auditStores } from './audit/audit-stores.ts';
export { type EdgeAuditReport, type EdgeCount } from './audit/edge-audit.ts';
