import { NiobeError } from '@niobe/kernel';
import { backupSubject, type Bus } from '@niobe/grid';
import { REQUEST_DEADLINE_MS } from '../limits.ts';
import type { Attempt, Catalogue, CopyHolding } from './backup-store.ts';
import {
  checkRequest,
  getCatalogueRequest,
  inventoryRequest,
  putCatalogueRequest,
  readCatalogueReply,
  readCheckReply,
  readInventoryReply,
  readPutCatalogueReply,
  readRangeReply,
  readRangeRequest,
  readRegisterReply,
  registerRequest,
  type OpenStream,
  type ReadRange,
  type Registration,
} from './copy-frames.ts';
import { readShipReply, type ShipVerdict } from './ship-frame.ts';

const INVENTORY_AT_A_TIME = 64;

/** The requests that one backup server answers. Besides what each says: `DEADLINE`, `UNKNOWN`, `UNAVAILABLE`, `BUSY`, `DISK_FULL`. */
export class BackupClient {
  /** Name of the backup server. */
  readonly name: string;
  readonly #bus: Bus;
  readonly #subject: string;

  constructor(bus: Bus, deployment: string, name: string) {
    this.name = name;
    this.#bus = bus;
    this.#subject = backupSubject(deployment, name);
  }

  /** Facts and schemas of the deployment, or null where the backup server has none. */
  async catalogue(): Promise<Catalogue | null> {
    return readCatalogueReply(await this.#ask(getCatalogueRequest()));
  }

  /** Keeps a catalogue durably; false if a higher revision is held. `TOO_LARGE`. */
  async putCatalogue(catalogue: Catalogue): Promise<boolean> {
    return readPutCatalogueReply(await this.#ask(putCatalogueRequest(catalogue)));
  }

  /** Promises the copy of a partition to an attempt, durably. */
  async register(partition: number, attempt: Attempt): Promise<Registration> {
    return readRegisterReply(await this.#ask(registerRequest(partition, attempt)));
  }

  /** What the backup server holds of a partition, durably. */
  async inventory(partition: number): Promise<CopyHolding> {
    const [holding] = await this.#inventory([partition], true);
    if (holding?.partition === partition) return holding;
    throw new NiobeError('MALFORMED', `the inventory of ${this.name} does not name partition ${partition}`);
  }

  /** Promised attempts and complete epochs of partitions, without their segments. */
  async promises(partitions: readonly number[]): Promise<CopyHolding[]> {
    const all: CopyHolding[] = [];
    for (let at = 0; at < partitions.length; at += INVENTORY_AT_A_TIME)
      all.push(...(await this.#inventory(partitions.slice(at, at + INVENTORY_AT_A_TIME), false)));
    return all;
  }

  async #inventory(partitions: readonly number[], withSegments: boolean): Promise<CopyHolding[]> {
    return readInventoryReply(await this.#ask(inventoryRequest({ partitions, withSegments })));
  }

  /** Bytes of a segment; fewer than asked for where less is held or can be read. `NOT_FOUND`. */
  async read(range: ReadRange): Promise<Uint8Array> {
    return readRangeReply(await this.#ask(readRangeRequest(range)));
  }

  /** Whether registrations still hold: not after the backup server was restarted, or another registration of the partition. */
  async check(streams: readonly OpenStream[]): Promise<boolean[]> {
    return readCheckReply(await this.#ask(checkRequest(streams)));
  }

  /** Sends a SHIP frame; a verdict a section. */
  async ship(frame: Uint8Array): Promise<ShipVerdict[]> {
    return readShipReply(await this.#ask(frame));
  }

  #ask(request: Uint8Array): Promise<Uint8Array> {
    return this.#bus.request(this.#subject, request, { deadlineMs: REQUEST_DEADLINE_MS });
  }
}
