import type { FileHandle } from 'node:fs/promises';
import { NiobeError } from '@niobe/kernel';
import { diskError } from './disk-errors.ts';
import { openIfThere, readUpTo } from './durable-files.ts';
import { FORMAT_VERSION, readPartHeader, readRoundHeader, roundBytes, ROUND_HEADER_BYTES } from './journal-format.ts';
import { partFile } from './journal.ts';
import { BLOCK_BYTES, PART_HEADER_BYTES } from './limits.ts';

/** Finding the rounds of a journal: by their headers, wherever they are, so that damage in one hides no other. */

const CHUNK_BYTES = 1024 * 1024;

/** A round whose header checks. */
export interface RoundPlace {
  readonly round: number;
  readonly file: string;
  /** Where its header begins. */
  readonly fileOffset: number;
  readonly bodyBytes: number;
}

/** The identity in the first journal part whose header checks, or null. */
export async function journalIdentity(folder: string, partsMax: number): Promise<Uint8Array | null> {
  for (let index = 0; index < partsMax; index++) {
    const header = await inPart(partFile(folder, index), async (handle) => {
      const bytes = new Uint8Array(BLOCK_BYTES);
      return readPartHeader(bytes.subarray(0, await readUpTo(handle, bytes, 0)));
    });
    if (header) return versionChecked(header, partFile(folder, index)).identity;
  }
  return null;
}

function versionChecked<T extends { readonly version: number }>(header: T, file: string): T {
  if (header.version === FORMAT_VERSION) return header;
  const message = `${file} has format ${header.version}; this version reads ${FORMAT_VERSION}: use the version that wrote it`;
  throw new NiobeError('INCOMPATIBLE', message);
}

/** All rounds of a store in its parts, by rising number; from uses of the parts long past as well. O(bytes of the journal). */
export async function findRounds(folder: string, partsMax: number, identity: Uint8Array): Promise<RoundPlace[]> {
  const places: RoundPlace[] = [];
  for (let index = 0; index < partsMax; index++) {
    const file = partFile(folder, index);
    await inPart(file, async (handle) => {
      for await (const place of roundsOf(handle, file, identity)) places.push(place);
    });
  }
  return places.sort((a, b) => a.round - b.round);
}

async function inPart<T>(file: string, work: (handle: FileHandle) => Promise<T>): Promise<T | null> {
  const handle = await openIfThere(file);
  if (handle === null) return null;
  try {
    return await work(handle);
  } catch (error) {
    throw diskError(error, `reading ${file}`);
  } finally {
    await handle.close();
  }
}

/** Goes from round to round, and from block to block where none begins. */
async function* roundsOf(handle: FileHandle, file: string, identity: Uint8Array): AsyncGenerator<RoundPlace> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let chunkAt = PART_HEADER_BYTES; ;) {
    const bytes = chunk.subarray(0, await readUpTo(handle, chunk, chunkAt));
    let at = 0;
    while (at + ROUND_HEADER_BYTES <= bytes.length) {
      const header = readRoundHeader(bytes, at, identity);
      if (header !== null) yield { ...header, file, fileOffset: chunkAt + at };
      at += header === null ? BLOCK_BYTES : roundBytes(header.bodyBytes);
    }
    if (bytes.length < CHUNK_BYTES) return;
    chunkAt += at;
  }
}

/** The records of a round, up to where the file ends. */
export async function readRoundBody({ file, fileOffset, bodyBytes }: RoundPlace): Promise<Uint8Array> {
  const body = await inPart(file, async (handle) => {
    const bytes = new Uint8Array(Math.min(bodyBytes, (await handle.stat()).size));
    return bytes.subarray(0, await readUpTo(handle, bytes, fileOffset + ROUND_HEADER_BYTES));
  });
  return body ?? new Uint8Array(0);
}
