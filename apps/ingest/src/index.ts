export { startCollector, type CollectorParts } from './collector/start-collector.ts';
export { startLoader, type LoaderParts } from './loader/start-loader.ts';
export { loads, ROLES, startIngest, type IngestConfig, type IngestParts, type IngestRole } from './service.ts';
