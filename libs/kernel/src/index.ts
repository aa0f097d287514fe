export { assert, AssertionError, unreachable } from './assert.ts';
export { BoundedQueue } from './bounded-queue.ts';
export { ByteReader, ByteWriter, getU53, setU53 } from './bytes.ts';
export { delay, every, ManualClock, systemClock, type Clock, type Timer } from './clock.ts';
export { deferred, until, withDeadline, type Deferred } from './deferred.ts';
export {
  ERROR_CODES,
  isNiobeError,
  messageOf,
  NiobeError,
  type ErrorCode,
  type ErrorDetails,
  type Retry,
} from './errors.ts';
export { crc32, mix32, murmur128, murmur32 } from './hash.ts';
export {
  silentLogger,
  silentMeter,
  type Counter,
  type Histogram,
  type Labels,
  type LogFields,
  type Logger,
  type Meter,
} from './observe.ts';
export { randomHex, seededRandom, systemRandom, type Random } from './random.ts';
export { compareRanges, copyRange, sameRange } from './ranges.ts';
export { viewOf } from './view.ts';
