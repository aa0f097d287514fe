import type { Random } from '@niobe/kernel';
import type { LocalSystem } from '../system/local-system.ts';

/** Something that can be killed and started again. */
export interface Victim {
  readonly name: string;
  readonly pid: number;
  kill(): Promise<void>;
  start(): void | Promise<void>;
}

/** One kill, due when so many rows have been sent. */
export interface Fault {
  readonly atRow: number;
  readonly victim: Victim;
}

/**
 * Kills at random rows between 5 % and 85 % of the data: analytics, loader and each shard three times, traversal and each backup
 * twice, Kafka and NATS once. What follows the last one gives at least ten seconds of progress at the rate of the check.
 */
export function faultPlan(system: LocalSystem, rows: number, random: Random): readonly Fault[] {
  const victims: Victim[] = [system.kafka, system.nats];
  for (let i = 0; i < 3; i++) victims.push(system.analytics, system.loader, ...system.shards);
  for (let i = 0; i < 2; i++) victims.push(system.traversal, ...system.backups);
  const faults = victims.map((victim) => ({ victim, atRow: Math.floor(rows * (0.05 + 0.8 * random.next())) }));
  return faults.toSorted((a, b) => a.atRow - b.atRow);
}
