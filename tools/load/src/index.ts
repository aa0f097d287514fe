export { graphPaths, type GraphPath } from './graph-files.ts';
export { readOptions, type LoadCommand } from './options.ts';
export { chooseEdge, joinSystem, targetOf, type RunningSystem } from './running-system.ts';
