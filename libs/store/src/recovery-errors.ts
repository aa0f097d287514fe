import { NiobeError } from '@niobe/kernel';

/** What recovery says of bytes that do not check: where they are, and why. */
export function damaged(partition: number, segment: number, offset: number, why: string, cause?: unknown): NiobeError {
  const message = `partition ${partition}, segment ${segment} is damaged at byte ${offset}: ${why}`;
  return new NiobeError('DAMAGED', message, { partition, segment, offset }, cause);
}
