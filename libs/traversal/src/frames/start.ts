import { CELL_ID_LIMIT } from '@niobe/cells';
import { ByteReader, NiobeError } from '@niobe/kernel';
import { BUDGET_MS_MAX, HOPS_MAX, LIMIT_MAX, PARTITIONS_MAX, REPEAT_MAX, SHARDS_MAX, STARTS_MAX } from '../limits.ts';
import type { SearchBudget, SearchOrder } from '../search.ts';
import { beginRequest, readCount, readHeader, TraverseKind } from './header.ts';

/**
 * START: one search, told to every shard in the same bytes.
 *
 *     request   header, u32 ms left, u8 flags (1 rows are wanted, 2 counts as well), u8 order (0 count, 1 key, 2 level), u32 limit,
 *               u53 budget vertices, u53 budget bytes,
 *               u32 shards, text name ...                                  in order: a shard's index is its place
 *               u32 partitions, (u16 shard index, u32 epoch) ...           in order
 *               u32 hops, (u32 repeat, u32 schemas, u16 schema id ...) ...
 *               u32 starts, u53 cell id ...
 *     reply     header
 */

/** One hop as shards know it. */
export interface HopPlan {
  /** Ids of the adjacency schemas that together list a vertex's neighbours. */
  readonly schemaIds: readonly number[];
  readonly repeat: number;
}

/** A search as shards know it. */
export interface SearchPlan {
  readonly task: number;
  /** Until its deadline, from the sending. */
  readonly leftMs: number;
  readonly wantsRows: boolean;
  readonly isCounting: boolean;
  readonly orderBy: SearchOrder;
  readonly limit: number;
  readonly budget: Pick<SearchBudget, 'vertices' | 'bytes'>;
  /** Names; a shard's index is its place. */
  readonly shards: readonly string[];
  /** By partition: index of its shard. */
  readonly owners: Uint16Array;
  /** By partition: the epoch in which it is searched. */
  readonly epochs: Uint32Array;
  readonly hops: readonly HopPlan[];
  /** Cell ids. */
  readonly starts: readonly number[];
}

const ORDERS: readonly SearchOrder[] = ['count', 'key', 'level'];
const SCHEMAS_PER_HOP_MAX = 2;

/** Writes a START. */
export function startFrame(plan: SearchPlan): Uint8Array {
  const out = beginRequest(TraverseKind.START, plan.task, 1024);
  out.u32(plan.leftMs);
  out.u8((plan.wantsRows ? 1 : 0) | (plan.isCounting ? 2 : 0));
  out.u8(ORDERS.indexOf(plan.orderBy));
  out.u32(plan.limit);
  out.u53(plan.budget.vertices);
  out.u53(plan.budget.bytes);
  out.u32(plan.shards.length);
  for (const name of plan.shards) out.text(name);
  out.u32(plan.owners.length);
  for (let partition = 0; partition < plan.owners.length; partition++) {
    out.u16(plan.owners[partition]!);
    out.u32(plan.epochs[partition]!);
  }
  out.u32(plan.hops.length);
  for (const hop of plan.hops) {
    out.u32(hop.repeat);
    out.u32(hop.schemaIds.length);
    for (const id of hop.schemaIds) out.u16(id);
  }
  out.u32(plan.starts.length);
  for (const id of plan.starts) out.u53(id);
  return out.finish();
}

/** Reads a START. Throws `MALFORMED`. */
export function readStart(frame: Uint8Array): SearchPlan {
  const reader = new ByteReader(frame);
  const { task } = readHeader(reader);
  const leftMs = within(reader.u32(), 'milliseconds', 0, BUDGET_MS_MAX);
  const flags = reader.u8();
  const orderBy = ORDERS[within(reader.u8(), 'order', 0, ORDERS.length - 1)]!;
  const limit = within(reader.u32(), 'limit', 1, LIMIT_MAX);
  const budget = { vertices: reader.u53(), bytes: reader.u53() };
  const shards = Array.from({ length: readCount(reader, 'shards', SHARDS_MAX, 2) }, () => reader.text());
  const { owners, epochs } = readPartitions(reader, shards.length);
  const hops = Array.from({ length: readCount(reader, 'hops', HOPS_MAX, 10) }, () => readHop(reader));
  if (hops.length === 0) throw new NiobeError('MALFORMED', 'a search without hops');
  const starts = Array.from({ length: readCount(reader, 'starts', STARTS_MAX, 8) }, () =>
    within(reader.u53(), 'cell id', 0, CELL_ID_LIMIT - 1),
  );
  reader.end();
  const wantsRows = (flags & 1) !== 0;
  const isCounting = (flags & 2) !== 0;
  return { task, leftMs, wantsRows, isCounting, orderBy, limit, budget, shards, owners, epochs, hops, starts };
}

function readPartitions(reader: ByteReader, shards: number): Pick<SearchPlan, 'owners' | 'epochs'> {
  const partitions = readCount(reader, 'partitions', PARTITIONS_MAX, 6);
  const owners = new Uint16Array(partitions);
  const epochs = new Uint32Array(partitions);
  for (let partition = 0; partition < partitions; partition++) {
    owners[partition] = within(reader.u16(), 'shard index', 0, shards - 1);
    epochs[partition] = reader.u32();
  }
  return { owners, epochs };
}

function readHop(reader: ByteReader): HopPlan {
  const repeat = within(reader.u32(), 'repeat', 1, REPEAT_MAX);
  const schemaIds = Array.from({ length: readCount(reader, 'schemas', SCHEMAS_PER_HOP_MAX, 2) }, () => reader.u16());
  if (schemaIds.length === 0) throw new NiobeError('MALFORMED', 'a hop over no schema');
  return { repeat, schemaIds };
}

function within(value: number, what: string, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw new NiobeError('MALFORMED', `${what} of a search: ${value} is not within ${least} and ${most}`);
}
