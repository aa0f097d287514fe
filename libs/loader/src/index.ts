export { type FileIdentity } from './files/file-source.ts';
export { GRAPH_FORMATS, type GraphFormat } from './files/graph-format.ts';
export {
  GraphLoad,
  type GraphFile,
  type GraphLoadOptions,
  type GraphLoadParts,
  type LoadEnd,
  type LoadTarget,
} from './files/graph-load.ts';
export { type Rows } from './files/run-reader.ts';
export { STAGE_BYTES_MAX } from './fold/mapping-folder.ts';
export { CACHED_IDS_MAX, IdCache } from './keys/id-cache.ts';
export type { IdSource } from './keys/id-source.ts';
export { KNOWN_EDGES } from './links/known-edges.ts';
export { compileMappings, type MappingFile, type MappingNames } from './mapping/compile-mappings.ts';
export type {
  EdgeDeclaration as MappedEdgeDeclaration,
  EventRuleDeclaration,
  MappingDeclaration,
  VertexDeclaration as MappedVertexDeclaration,
} from './mapping/mapping-declaration.ts';
export { sourceNamesOf, type Mapping } from './mapping/mapping.ts';
export { loaderCounters, type LoaderCounters } from './topic/loader-counters.ts';
export { TopicLoader, type TopicLoaderSurroundings } from './topic/topic-loader.ts';
export { MappingRegistry } from './registry/mapping-registry.ts';
