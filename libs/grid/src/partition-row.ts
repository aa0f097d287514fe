import { NiobeError } from '@niobe/kernel';
import { integerField, objectRow, textField } from './row-shape.ts';

/** Highest epoch: versions keep 20 bits for it. */
export const EPOCH_MAX: number = 2 ** 20 - 1;

/** `ACTIVE`: the owner serves it. `UNASSIGNED`: nobody does at present. */
export type PartitionPhase = 'UNASSIGNED' | 'ACTIVE';

/** Whom clients ask for a partition. It is a signpost: what makes an owner is its registration at the backups. */
export interface PartitionRow {
  readonly partition: number;
  /** Name of the shard, such as `shard-0`. */
  readonly primary: string;
  /** 0 until a shard has taken it for the first time. */
  readonly epoch: number;
  /** The process of `primary` that took it; null until then. */
  readonly incarnation: string | null;
  readonly phase: PartitionPhase;
}

/** Reads a partition row, or throws `MALFORMED`. */
export function parsePartitionRow(row: unknown): PartitionRow {
  const what = 'a partition row';
  const object = objectRow(row, what);
  const phase = object['phase'];
  if (phase !== 'UNASSIGNED' && phase !== 'ACTIVE')
    throw new NiobeError('MALFORMED', `${what}: phase is not known`, { path: 'phase' });
  return {
    partition: integerField(object, 'partition', 0, 4095, what),
    primary: textField(object, 'primary', what),
    epoch: integerField(object, 'epoch', 0, EPOCH_MAX, what),
    incarnation: object['incarnation'] === null ? null : textField(object, 'incarnation', what),
    phase,
  };
}
