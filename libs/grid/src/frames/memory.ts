import { ByteReader, ByteWriter, NiobeError } from '@niobe/kernel';
import { REPLY_BYTES_MAX } from '../limits.ts';
import { errorOf, readRefusal } from './failure.ts';
import {
  FrameKind,
  readReplyHeader,
  readRequestHeader,
  writeReplyHeader,
  writeRequestHeader,
  type RequestHeader,
} from './header.ts';

/**
 * MEMORY: what the cells of a shard take.
 *
 *     request   header, u16 how many of the largest cells to tell
 *     reply     header, block JSON
 *
 * The JSON is that of `MemoryReport` in the store library. It is asked by people and tools, now and then, so it travels as they read it.
 */

/** A MEMORY request as it arrived. */
export interface MemoryRequest {
  readonly header: RequestHeader;
  readonly largest: number;
}

/** A MEMORY request frame; `deadlineMs` is how long the asker waits. */
export function memoryFrame(client: number, serial: number, deadlineMs: number, largest: number): Uint8Array {
  const out = new ByteWriter(64, 64);
  writeRequestHeader(out, { kind: FrameKind.MEMORY, client, serial, deadlineMs });
  out.u16(largest);
  return out.finish();
}

/** Throws `MALFORMED`. */
export function readMemoryRequest(bytes: Uint8Array): MemoryRequest {
  const reader = new ByteReader(bytes);
  const header = readRequestHeader(reader);
  const largest = reader.u16();
  reader.end();
  return { header, largest };
}

/** The reply to a request; `TOO_LARGE` for a report that no frame holds. */
export function memoryReply({ client, serial }: RequestHeader, report: object): Uint8Array {
  const out = new ByteWriter(REPLY_BYTES_MAX, 4_096);
  writeReplyHeader(out, FrameKind.MEMORY, client, serial);
  out.block(new TextEncoder().encode(JSON.stringify(report)));
  return out.finish();
}

/** The report of a reply. Throws the error of a refused request, and `MALFORMED`. */
export function readMemoryReply(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  if (readReplyHeader(reader, FrameKind.MEMORY) === 'failure') throw errorOf(readRefusal(reader, reader.u8()));
  const json = reader.block();
  reader.end();
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    throw new NiobeError('MALFORMED', 'a memory report that is no JSON', {}, error);
  }
}
