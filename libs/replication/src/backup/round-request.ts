import type { ByteReader } from '@niobe/kernel';
import type { Attempt, BackupStore, Catalogue } from './backup-store.ts';
import {
  catalogueReply,
  inventoryReply,
  putCatalogueReply,
  readInventory,
  readPutCatalogue,
  readRegister,
  registerReply,
  type InventoryRequest,
} from './copy-frames.ts';
import { BackupRequest, type BackupRequestKind } from './frames.ts';
import {
  readShipRequest,
  shipReply,
  STALE,
  type ShipRequest,
  type ShipSection,
  type ShipVerdict,
} from './ship-frame.ts';
import type { ShipStreams } from './ship-streams.ts';

/** A request that waits for a round: what it needs, how it is staged, and its answer once the round is durable. */
export interface RoundRequest {
  /** Payload that its changes bring to the store, at most. */
  readonly bytes: number;
  /** Changes that it brings, at most. */
  readonly changes: number;
  /** Stages it. The reply is made after the sync. */
  stage(store: BackupStore, streams: ShipStreams): () => Uint8Array;
}

type RoundKind = Exclude<BackupRequestKind, typeof BackupRequest.read | typeof BackupRequest.check>;

/** Reads a request behind its kind, whole, so that staging it cannot meet anything malformed. Throws `MALFORMED`. */
export function readRoundRequest(kind: RoundKind, reader: ByteReader): RoundRequest {
  switch (kind) {
    case BackupRequest.getCatalogue:
      return { bytes: 0, changes: 0, stage: (store) => () => catalogueReply(store.catalogue()) };
    case BackupRequest.putCatalogue:
      return putCatalogue(readPutCatalogue(reader));
    case BackupRequest.register:
      return register(readRegister(reader));
    case BackupRequest.inventory:
      return inventory(readInventory(reader));
    case BackupRequest.ship:
      return ship(readShipRequest(reader));
  }
}

function putCatalogue(catalogue: Catalogue): RoundRequest {
  return {
    bytes: catalogue.bytes.length,
    changes: 1,
    stage(store) {
      const isStored = store.stageCatalogue(catalogue);
      return () => putCatalogueReply(isStored);
    },
  };
}

function register({ partition, attempt }: { partition: number; attempt: Attempt }): RoundRequest {
  return {
    bytes: attempt.owner.length * 4,
    changes: 1,
    stage(store, streams) {
      const verdict = store.stage(partition, attempt, { kind: 'register' });
      if (verdict.kind === 'FENCED') return () => registerReply(verdict);
      const stream = streams.open(partition);
      return () => registerReply({ kind: 'OK', stream });
    },
  };
}

function inventory({ partitions, withSegments }: InventoryRequest): RoundRequest {
  return {
    bytes: 0,
    changes: 0,
    stage(store) {
      const holdings = partitions.map((partition) => store.holding(partition));
      return () => inventoryReply(withSegments ? holdings : holdings.map((holding) => ({ ...holding, segments: [] })));
    },
  };
}

function ship({ owner, sections }: ShipRequest): RoundRequest {
  let bytes = 0;
  for (const { change } of sections) if ('bytes' in change) bytes += change.bytes.length;
  return {
    bytes,
    changes: sections.length,
    stage(store, streams) {
      const verdicts = sections.map((section) => stageSection(store, streams, owner, section));
      return () => shipReply(verdicts);
    },
  };
}

/** The order of a stream moves on by what was accepted alone, so what follows a refused section is refused as well. */
function stageSection(store: BackupStore, streams: ShipStreams, owner: string, section: ShipSection): ShipVerdict {
  const { partition, epoch, stream, order, change } = section;
  const place = streams.place(partition, stream, order);
  if (place === 'stale') return STALE;
  if (place === 'repeated') return { kind: 'OK' };
  const verdict = store.stage(partition, { epoch, owner }, change);
  if (verdict.kind === 'OK') streams.advance(partition);
  return verdict;
}
