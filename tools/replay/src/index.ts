export { CsvParser } from './csv-parser.ts';
export { BATCH_ROWS, eventBatches, type EventBatch, type EventBatchOptions } from './event-batches.ts';
export { identifyFile, openContent, type FileContent, type FileIdentity } from './input-file.ts';
export { LogSink } from './log-sink.ts';
export { MAPPING_FILE, parseMapping, readMapping, type Mapping, type TypeRule } from './mapping.ts';
export { deploymentFolder } from './options.ts';
export { grouped, progressBar, progressText, type ProgressFacts } from './progress-line.ts';
export { Replay, type EventSink, type Refusal, type ReplayOptions } from './replay.ts';
export type { DeclaredEvent, DeclaredField, ReplayEvent } from './row-mapper.ts';
