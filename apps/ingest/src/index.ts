export { startIngest, type IngestParts } from './service.ts';
