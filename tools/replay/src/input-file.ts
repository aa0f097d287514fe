import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { crc32, messageOf, NiobeError } from '@niobe/kernel';

/** What tells one file from another without reading all of it. */
export interface FileIdentity {
  readonly bytes: number;
  /** CRC-32 of the first MiB. */
  readonly crc: number;
}

/** The content of a file, inflated where it is compressed. */
export interface FileContent {
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Bytes of the file, as it lies on disk, that were read so far. */
  bytesRead(): number;
  close(): void;
}

const READ_BYTES = 65_536;
const INFLATED_BYTES = 262_144;
const IDENTITY_BYTES = 1_048_576;
const GZIP_MAGIC = 0x1f8b;

/** Size and checksum of a file; `NOT_FOUND` or `BAD_REQUEST` if it cannot be read. */
export async function identifyFile(path: string): Promise<FileIdentity> {
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(IDENTITY_BYTES), 0, IDENTITY_BYTES, 0);
    return { bytes: (await file.stat()).size, crc: crc32(buffer.subarray(0, bytesRead)) };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new NiobeError(missing ? 'NOT_FOUND' : 'BAD_REQUEST', `cannot read ${path}: ${messageOf(error)}`, {}, error);
  }
}

/** Opens a file to be read once; gzip is recognised by its first bytes. */
export async function openContent(path: string): Promise<FileContent> {
  const isCompressed = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: READ_BYTES });
  const pieces = isCompressed ? pipeline(file, createGunzip({ chunkSize: INFLATED_BYTES }), () => undefined) : file;
  return { pieces, bytesRead: () => file.bytesRead, close: () => void file.destroy() };
}

async function isGzip(path: string): Promise<boolean> {
  await using file = await open(path);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer.readUInt16BE() === GZIP_MAGIC;
}
