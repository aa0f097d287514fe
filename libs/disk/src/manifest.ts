import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteReader, ByteWriter, crc32, isNiobeError, NiobeError } from '@niobe/kernel';
import { CATALOGUE_BYTES_MAX, readHolding, writeHolding, type Catalogue, type CopyHolding } from '@niobe/replication';
import { diskError } from './disk-errors.ts';
import { readFileUpTo, syncData, syncFolder, writeWhole } from './durable-files.ts';
import { FORMAT_VERSION, IDENTITY_BYTES } from './journal-format.ts';
import { MANIFEST_BYTES_MAX } from './limits.ts';

/**
 * What all copies held at a checkpoint: the ledger, the catalogue, and the number of the first round that is not in it.
 *
 * It is kept twice. A checkpoint writes one file, syncs it, and then the other; journal parts are reused only after both. So at any
 * moment one of the two checks and has all later rounds in the journal.
 */

/** The state of a store at a checkpoint. */
export interface Manifest {
  readonly identity: Uint8Array;
  /** Rises with every checkpoint. */
  readonly generation: number;
  /** Rounds from here on change it. */
  readonly nextRound: number;
  /** Whether the store was closed with it, so that no such round can be. */
  readonly isClosed: boolean;
  readonly catalogue: Catalogue | null;
  readonly copies: readonly CopyHolding[];
}

/** What the two files say: the newest that checks, and whether there was any at all. */
export interface ManifestReading {
  readonly manifest: Manifest | null;
  readonly isThere: boolean;
}

const MAGIC = new TextEncoder().encode('NIOBEMAN');
const HEADER_BYTES = 24;
const CHECKED_BYTES = 20;

/** The two files. */
export function manifestFiles(folder: string): readonly [string, string] {
  return [join(folder, 'manifest.0'), join(folder, 'manifest.1')];
}

/** A manifest as it is written. `TOO_LARGE` above {@link MANIFEST_BYTES_MAX}. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const out = new ByteWriter(MANIFEST_BYTES_MAX);
  out.raw(MAGIC);
  out.u32(FORMAT_VERSION);
  const lengthAt = out.reserve(HEADER_BYTES - out.length);
  writeBody(out, manifest);
  const body = out.peek().subarray(HEADER_BYTES);
  out.patchU32(lengthAt, body.length);
  out.patchU32(lengthAt + 4, crc32(body));
  out.patchU32(CHECKED_BYTES, crc32(out.peek().subarray(0, CHECKED_BYTES)));
  return out.peek();
}

function writeBody(out: ByteWriter, manifest: Manifest): void {
  const { identity, generation, nextRound, isClosed, catalogue, copies } = manifest;
  out.raw(identity);
  out.u53(generation);
  out.u53(nextRound);
  out.u8(isClosed ? 1 : 0);
  out.u8(catalogue === null ? 0 : 1);
  if (catalogue !== null) {
    out.u53(catalogue.revision);
    out.block(catalogue.bytes);
  }
  out.u32(copies.length);
  for (const copy of copies) writeHolding(out, copy);
}

/** Reads the two files. Another format version is `INCOMPATIBLE`. */
export async function readManifests(folder: string): Promise<ManifestReading> {
  let manifest: Manifest | null = null;
  let isThere = false;
  for (const file of manifestFiles(folder)) {
    const bytes = await readFileUpTo(file, MANIFEST_BYTES_MAX);
    isThere ||= bytes !== null;
    const read = bytes === null ? null : decode(bytes, file);
    if (read !== null && read.generation > (manifest?.generation ?? 0)) manifest = read;
  }
  return { manifest, isThere };
}

function decode(bytes: Uint8Array, file: string): Manifest | null {
  if (bytes.length < HEADER_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(CHECKED_BYTES, true) !== crc32(bytes.subarray(0, CHECKED_BYTES))) return null;
  const version = view.getUint32(8, true);
  if (version !== FORMAT_VERSION) throw incompatible(file, version);
  const body = bytes.subarray(HEADER_BYTES, HEADER_BYTES + view.getUint32(12, true));
  if (body.length !== view.getUint32(12, true) || crc32(body) !== view.getUint32(16, true)) return null;
  return readBody(body);
}

function incompatible(file: string, version: number): NiobeError {
  const message = `${file} has format ${version}; this version reads ${FORMAT_VERSION}: use the version that wrote it`;
  return new NiobeError('INCOMPATIBLE', message);
}

function readBody(body: Uint8Array): Manifest | null {
  try {
    const reader = new ByteReader(body);
    const identity = reader.raw(IDENTITY_BYTES);
    const generation = reader.u53();
    const nextRound = reader.u53();
    const isClosed = reader.u8() === 1;
    const catalogue = reader.u8() === 0 ? null : readCatalogue(reader);
    const copies: CopyHolding[] = [];
    for (let left = reader.u32(); left > 0; left--) copies.push(readHolding(reader));
    reader.end();
    return { identity, generation, nextRound, isClosed, catalogue, copies };
  } catch (error) {
    if (isNiobeError(error, 'MALFORMED')) return null;
    throw error;
  }
}

function readCatalogue(reader: ByteReader): Catalogue {
  const revision = reader.u53();
  const bytes = reader.block();
  if (bytes.length > CATALOGUE_BYTES_MAX) throw new NiobeError('MALFORMED', 'a catalogue that is too long');
  return { revision, bytes };
}

/** Writes both files, one after the other. After `DISK_FULL` one of them still has what it had. */
export async function writeManifests(folder: string, bytes: Uint8Array): Promise<void> {
  for (const file of manifestFiles(folder)) await writeManifest(file, bytes);
  await syncFolder(folder);
}

async function writeManifest(file: string, bytes: Uint8Array): Promise<void> {
  try {
    const handle = await open(file, 'r+').catch(() => open(file, 'w+'));
    try {
      await writeWhole(handle, bytes, 0);
      await syncData(handle, file);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw diskError(error, `writing ${file}`);
  }
}
