export { startShard, type RunningShard, type ShardConfig, type ShardParts } from './service.ts';
