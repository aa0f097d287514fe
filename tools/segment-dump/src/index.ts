export { dumpSegment, type DumpOptions } from './dump-segment.ts';
export { readSegmentFile, type SegmentFile } from './segment-file.ts';
