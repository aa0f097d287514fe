import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, NiobeError, type Random } from '@niobe/kernel';
import { CopyLedger, type Catalogue, type DamageReport } from '@niobe/replication';
import { changeOf, type Row } from './journal-record.ts';
import { JournalReplay, type ReplayedRow } from './journal-replay.ts';
import { encodeManifest, readManifest, STORE_ID_BYTES, writeManifest, type Manifest } from './manifest.ts';
import { SegmentFiles, segmentFileName, type SegmentFileId } from './segment-files.ts';

/**
 * Opening a folder: manifest, then the rounds of the journal after it, then a checkpoint, after which the journal is not needed.
 *
 * Damage in the journal of what was durable: a payload that does not check is taken from its segment file where that has it, else it
 * is reported, and stays damaged until a primary repairs it: the length says what must be there. A round of which neither table nor
 * head can be read may have been anything, so every copy of the store counts as unfinished from then on, until its primary, by
 * filling it up, declares it complete again.
 */

const FLUSH_BYTES = 8 * 1024 * 1024;

/** A folder that was opened. */
export interface StoreState {
  readonly storeId: Uint8Array;
  readonly ledger: CopyLedger;
  readonly files: SegmentFiles;
  readonly catalogue: Catalogue | null;
  /** The last round; the next is above every one that the journal has seen. */
  readonly round: number;
  readonly damage: readonly DamageReport[];
}

/** Opens a folder that is locked. When this resolves all it held is in segment files and manifest. */
export async function openState(folder: string, random: Random): Promise<StoreState> {
  const { manifest, damaged } = await readManifest(folder);
  const start = manifest ?? (await createStore(folder, random));
  const opening = new Opening(folder, start);
  for (const file of damaged) opening.report({ file, message: 'a manifest was damaged and is written anew' });
  const journal = await JournalReplay.read(folder, start.storeId);
  for (const replayed of journal.rounds(start.round)) {
    if (replayed.kind === 'lost') opening.lose(replayed);
    else for (const row of replayed.rows) await opening.redo(row);
  }
  return opening.finish(Math.max(start.round, journal.lastRound));
}

/** A new store. A folder that has segments and no manifest is not new. */
async function createStore(folder: string, random: Random): Promise<Manifest> {
  const segments = await readdir(join(folder, 'segments'));
  if (segments.length > 0)
    throw new NiobeError(
      'DAMAGED',
      `${folder} has segments and no manifest: empty the folder, and the primaries will fill it again`,
    );
  const storeId = Uint8Array.from({ length: STORE_ID_BYTES }, () => random.below(256));
  const manifest: Manifest = { storeId, round: 0, catalogue: null, copies: [] };
  await writeManifest(folder, encodeManifest(manifest));
  return manifest;
}

const decoder = new TextDecoder();
/** In place of an owner whose name was damaged: nobody has it, so the promise holds against all of its epoch. */
const UNKNOWN_OWNER = '?';

class Opening {
  readonly #folder: string;
  readonly #storeId: Uint8Array;
  readonly #ledger = new CopyLedger();
  readonly #files: SegmentFiles;
  readonly #damage: DamageReport[] = [];
  #catalogue: Catalogue | null;
  #isDistrusted = false;

  constructor(folder: string, manifest: Manifest) {
    this.#folder = folder;
    this.#storeId = manifest.storeId;
    this.#files = new SegmentFiles(join(folder, 'segments'), manifest.storeId);
    this.#catalogue = manifest.catalogue;
    for (const copy of manifest.copies) this.#ledger.restore(copy);
  }

  report(damage: Partial<DamageReport> & Pick<DamageReport, 'file' | 'message'>): void {
    this.#damage.push({ fileOffset: 0, partition: null, segment: null, offset: null, ...damage });
  }

  /** A durable round cannot be read. */
  lose({ round, file, fileOffset }: { round: number; file: string; fileOffset: number }): void {
    const message = `round ${round} of the journal cannot be read: no copy in this folder counts as complete any more`;
    this.report({ file, fileOffset, message });
    this.#isDistrusted = true;
  }

  /** Does a change of a durable round again. */
  async redo(replayed: ReplayedRow): Promise<void> {
    const { row, payload, checks } = replayed;
    if (row.kind === 'catalogue') return this.#redoCatalogue(replayed);
    const owner = row.kind === 'register' && checks ? decoder.decode(payload) : UNKNOWN_OWNER;
    if (!this.#follows(row)) return;
    if (row.kind === 'append' || row.kind === 'repair') await this.#redoBytes(replayed);
    if (row.kind === 'free') this.#files.forget(idOf(row));
    this.#ledger.apply(row.partition, { epoch: row.epoch, owner }, changeOf(row, payload)!);
    if (this.#files.waitingBytes > FLUSH_BYTES) await this.#files.flush();
  }

  /** Whether a change fits to what is held. It always does, unless a round before it was lost. */
  #follows(row: Row): boolean {
    const held = this.#ledger.segment(row.partition, row.segment);
    if (row.kind === 'append') return held === null ? row.offset === 0 : held.epoch === row.segmentEpoch;
    if (row.kind !== 'repair' && row.kind !== 'truncate') return true;
    return held?.epoch === row.segmentEpoch && row.offset + row.payloadBytes <= held.heldBytes;
  }

  #redoCatalogue({ row, payload, checks, file, fileOffset }: ReplayedRow): void {
    if (checks) this.#catalogue = { revision: row.segment + row.segmentEpoch * 0x1_0000_0000, bytes: payload.slice() };
    else this.report({ file, fileOffset, message: 'a catalogue in the journal is damaged; the one before it is kept' });
  }

  /** Damaged bytes are written as well where the file has no better: other batches among them may be whole. */
  async #redoBytes({ row, payload, checks, file, fileOffset }: ReplayedRow): Promise<void> {
    const { partition, segment, offset } = row;
    if (!checks) {
      const written = await this.#files.read(idOf(row), offset, row.payloadBytes);
      if (crc32(written) === row.payloadCrc) return;
      const where = `partition ${partition}, segment ${segment}, offset ${offset}`;
      this.report({ file, fileOffset, partition, segment, offset, message: `${where}: damaged in the journal` });
    }
    if (payload.length > 0) this.#files.add(idOf(row), offset, payload);
  }

  async finish(round: number): Promise<StoreState> {
    if (this.#isDistrusted) this.#ledger.distrustAll();
    const copies = this.#ledger.partitions().map((partition) => this.#ledger.holding(partition));
    const catalogue = this.#catalogue;
    const manifest: Manifest = { storeId: this.#storeId, round, catalogue, copies };
    await this.#files.flush();
    await this.#files.sync();
    await writeManifest(this.#folder, encodeManifest(manifest));
    await this.#files.retain(namesOf(manifest));
    return { storeId: this.#storeId, ledger: this.#ledger, files: this.#files, catalogue, round, damage: this.#damage };
  }
}

function idOf({ partition, segment, segmentEpoch }: Row): SegmentFileId {
  return { partition, segment, epoch: segmentEpoch };
}

function namesOf(manifest: Manifest): Set<string> {
  const names = new Set<string>();
  for (const { partition, segments } of manifest.copies)
    for (const { segment, epoch } of segments) names.add(segmentFileName({ partition, segment, epoch }));
  return names;
}
