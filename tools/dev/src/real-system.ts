import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { kafkaBroker, natsBroker, type Broker } from './broker-units.ts';
import { REPOSITORY } from './deployment-folder.ts';
import { httpUrl, wantsClicks, type LocalSystem, type SystemStart } from './local-system.ts';
import { portPlan, refuseTakenPorts, serviceNeeds, type PortPlan } from './ports.ts';
import { RunFile } from './run-file.ts';
import {
  analyticsUnit,
  backupUnits,
  clicksUnit,
  ingestUnit,
  shardUnits,
  type LocalFolders,
  type ServiceSurroundings,
  type ServiceUnit,
} from './service-units.ts';
import { UnitGroup } from './unit-group.ts';
import type { View } from './view.ts';

/**
 * Every service as its own process, on a real NATS and Kafka.
 *
 * Order of start: NATS, then backups and shards, while Kafka starts beside them; then the collector and the aggregator; the clicks
 * last. Stopped in the reverse order, so that nothing is sent to what is gone.
 */

/** The whole stop takes no longer than this. */
const STOP_LIMIT_MS = 17_000;
const RUN_FILE = 'run.json';

export async function startRealSystem(start: SystemStart): Promise<LocalSystem> {
  const { options, view, clock } = start;
  const data = join(REPOSITORY, '.niobe/local');
  const folders: LocalFolders = { data, logs: join(data, 'logs') };
  const runFile = await RunFile.take(data, clock, (name) =>
    view.step(`ended ${name}, left behind by a launcher that was killed`),
  );
  const group = new UnitGroup(view, runFile, clock);
  const stop = async (): Promise<void> => {
    await group.stop(STOP_LIMIT_MS);
    runFile.release();
  };
  const giveUp = (): void => void group.stop(STOP_LIMIT_MS);
  start.stopping.addEventListener('abort', giveUp, { once: true });
  try {
    if (options.fresh) forget(data, view);
    mkdirSync(folders.logs, { recursive: true });
    return { ...(await startAll(start, folders, group)), services: group.observed(), stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    start.stopping.removeEventListener('abort', giveUp);
  }
}

type SystemFacts = Omit<LocalSystem, 'services' | 'stop'>;

async function startAll(start: SystemStart, folders: LocalFolders, group: UnitGroup): Promise<SystemFacts> {
  const { options, deployment, view } = start;
  const plan = portPlan(options.portBase, deployment.shards);
  const nats = natsBroker(plan, folders);
  const kafka = kafkaBroker(plan, folders);
  await refuseTakenPorts([...serviceNeeds(plan), ...brokerNeeds(plan, nats, kafka)]);
  view.step(`starting; logs in ${shown(folders.logs)}`);
  const around = {
    plan,
    deployment: start.deploymentFolder,
    natsUrl: nats.address,
    kafkaBrokers: kafka.address,
    folders,
  };
  await Promise.all([
    startStores(around, nats, group),
    kafka.unit === null ? undefined : group.start(kafka.unit, kafka.address.join(','), false),
  ]);
  await startServices(group, [analyticsUnit(around), ingestUnit(around)]);
  const collectorUrl = httpUrl(plan.ingest);
  if (wantsClicks(start))
    await group.start(
      clicksUnit(folders, collectorUrl, options.clicksPerSecond),
      `${options.clicksPerSecond}/s`,
      false,
    );
  return {
    title: `deployment ${deployment.name}, every service a process of its own`,
    collectorUrl,
    analyticsUrl: httpUrl(plan.analytics),
    notes: [`data ${shown(folders.data)}, logs ${shown(folders.logs)}; --fresh forgets the data`],
  };
}

async function startStores(around: ServiceSurroundings, nats: Broker<string>, group: UnitGroup): Promise<void> {
  if (nats.unit !== null) await group.start(nats.unit, nats.address, false);
  await startServices(group, backupUnits(around));
  await startServices(group, shardUnits(around));
}

async function startServices(group: UnitGroup, units: readonly ServiceUnit[]): Promise<void> {
  await Promise.all(units.map((unit) => group.start(unit, httpUrl(unit.port), true)));
}

function brokerNeeds(
  plan: PortPlan,
  nats: Broker<string>,
  kafka: Broker<readonly string[]>,
): { port: number; name: string }[] {
  const needs = nats.unit === null ? [] : [{ port: plan.nats, name: 'nats-server' }];
  if (kafka.unit === null) return needs;
  return [...needs, { port: plan.kafka, name: 'Kafka' }, { port: plan.kafkaController, name: "Kafka's controller" }];
}

function shown(path: string): string {
  return relative(process.cwd(), path) || path;
}

/** Removes all data but the record of this run. */
function forget(data: string, view: View): void {
  for (const entry of readdirSync(data)) {
    if (entry !== RUN_FILE) rmSync(join(data, entry), { recursive: true, force: true });
  }
  view.step(`--fresh: forgot ${shown(data)}`);
}
