export { startTraversal, type TraversalParts } from './service.ts';
