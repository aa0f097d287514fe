import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { crc32, messageOf, NiobeError } from '@niobe/kernel';
import { CsvParser } from './csv-parser.ts';

/** Rows that one piece of the file completed. */
export interface RowChunk {
  readonly rows: readonly (readonly string[])[];
  /** Bytes of the file, as it lies on disk, that were read so far. */
  readonly fileBytesRead: number;
}

/** What tells one file from another without reading all of it. */
export interface FileIdentity {
  readonly bytes: number;
  /** CRC-32 of the first MiB. */
  readonly crc: number;
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

/** The rows of a CSV file, header included, in pieces; gzip is recognised by its first bytes, UTF-8 is checked. */
export async function* readCsv(path: string, separator = ','): AsyncGenerator<RowChunk> {
  const file = createReadStream(path, { highWaterMark: READ_BYTES });
  const bytes = (await isGzip(path))
    ? pipeline(file, createGunzip({ chunkSize: INFLATED_BYTES }), () => undefined)
    : file;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parser = new CsvParser(separator);
  try {
    for await (const piece of bytes as AsyncIterable<Uint8Array>) {
      yield { rows: parser.push(decoder.decode(piece, { stream: true })), fileBytesRead: file.bytesRead };
    }
    yield { rows: [...parser.push(decoder.decode()), ...parser.end()], fileBytesRead: file.bytesRead };
  } catch (error) {
    throw new NiobeError('MALFORMED', `${path} cannot be read as CSV: ${messageOf(error)}`, {}, error);
  } finally {
    file.destroy();
  }
}

async function isGzip(path: string): Promise<boolean> {
  await using file = await open(path);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer.readUInt16BE() === GZIP_MAGIC;
}
