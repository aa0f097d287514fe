import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { NiobeError } from '@niobe/kernel';
import { brokerSources, startKafka, startNats } from '@niobe/testing';
import { dataFolder, type LocalFolders } from './local-folders.ts';
import type { PortPlan } from './ports.ts';
import type { UnitSpec } from './supervised-unit.ts';

/** A broker that this launcher runs, or one that was given by address and is only used. */
export interface Broker<Address> {
  readonly address: Address;
  /** Null for a given one. */
  readonly unit: UnitSpec | null;
}

/** Whether real brokers can be had on this machine, and why not. */
export function missingBrokers(): string | null {
  const { nats, kafka } = brokerSources();
  const missing = [nats, kafka].filter((source) => source.kind === 'none' || source.kind === 'docker');
  return missing.length === 0 ? null : missing.map((source) => source.why).join('; ');
}

export function natsBroker(plan: PortPlan, folders: LocalFolders): Broker<string> {
  const source = brokerSources().nats;
  if (source.kind === 'given') return { address: source.url, unit: null };
  if (source.kind !== 'binary') throw noBroker(source.why);
  const dataDir = dataFolder(folders, 'nats');
  const logFile = linkedLog(folders, 'nats', join(dataDir, 'nats.log'));
  const start = (): ReturnType<UnitSpec['start']> => startNats({ dataDir, port: plan.nats });
  return { address: `nats://127.0.0.1:${plan.nats}`, unit: { name: 'nats', logFile, start } };
}

export function kafkaBroker(plan: PortPlan, folders: LocalFolders): Broker<readonly string[]> {
  const source = brokerSources().kafka;
  if (source.kind === 'given') return { address: source.brokers, unit: null };
  if (source.kind !== 'jars') throw noBroker(source.why);
  const dataDir = dataFolder(folders, 'kafka');
  const logFile = linkedLog(folders, 'kafka', join(dataDir, 'kafka.log'));
  const ports = { port: plan.kafka, controllerPort: plan.kafkaController };
  const start = (): ReturnType<UnitSpec['start']> => startKafka({ dataDir, ...ports });
  return { address: [`127.0.0.1:${plan.kafka}`], unit: { name: 'kafka', logFile, start } };
}

/** Brokers log into their data folder; a link puts the log beside those of the services. */
function linkedLog(folders: LocalFolders, name: string, target: string): string {
  const link = join(folders.logs, `${name}.log`);
  rmSync(link, { force: true });
  symlinkSync(target, link);
  return link;
}

function noBroker(why: string): NiobeError {
  return new NiobeError(
    'UNAVAILABLE',
    `${why}; give addresses by NIOBE_NATS_URL and NIOBE_KAFKA_BROKERS, or start with --embedded`,
  );
}
