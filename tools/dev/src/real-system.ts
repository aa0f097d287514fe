import { kafkaBroker, natsBroker, type Broker } from './broker-units.ts';
import { forgetData, localFolders, makeLogFolder, shownPath, type LocalFolders } from './local-folders.ts';
import { commandUrls, httpUrl, wantsClicks, type LocalSystem, type SystemStart } from './local-system.ts';
import { portPlan, refuseTakenPorts, serviceNeeds, type PortPlan } from './ports.ts';
import { RunFile } from './run-file.ts';
import {
  analyticsUnit,
  backupUnits,
  clicksUnit,
  ingestUnit,
  loaderUnit,
  shardUnits,
  traversalUnit,
  type ServiceSurroundings,
  type ServiceUnit,
} from './service-units.ts';
import type { UnitSpec } from './supervised-unit.ts';
import { UnitGroup } from './unit-group.ts';

/**
 * Every service as its own process, on a real NATS and Kafka.
 *
 * Order of start: NATS, then backups, shards and the searches over them, while Kafka starts beside them; then the aggregator, the loader
 * and the collector; the clicks last. Stopped in the reverse order, so that nothing is sent to what is gone.
 */

/** The whole stop takes no longer than this. */
const STOP_LIMIT_MS = 17_000;
/** A process that was ended by force gives its ports back within this. */
const LEFTOVER_PORT_MS = 5_000;

export async function startRealSystem(start: SystemStart): Promise<LocalSystem> {
  const { options, view, clock } = start;
  const folders = localFolders(start.deployment.name);
  const { runFile, portPatienceMs } = await takeFolder(folders.root, start);
  const group = new UnitGroup(view, runFile, clock);
  const stop = async (): Promise<void> => {
    await group.stop(STOP_LIMIT_MS);
    runFile.release();
  };
  const giveUp = (): void => void group.stop(STOP_LIMIT_MS);
  start.stopping.addEventListener('abort', giveUp, { once: true });
  try {
    if (options.fresh) forgetData(folders);
    makeLogFolder(folders);
    const system = new RealSystem(start, folders, group);
    await system.refuseTakenPorts(portPatienceMs);
    view.step(`starting${options.fresh ? ' without earlier data' : ''}; logs in ${shownPath(folders.logs)}`);
    await system.start();
    return { ...system.facts(), services: group.observed(), stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    start.stopping.removeEventListener('abort', giveUp);
  }
}

/** Takes the data folder, and ends what a killed launcher left running there: its ports may take a moment to be free. */
async function takeFolder(
  folder: string,
  { view, clock }: SystemStart,
): Promise<{ runFile: RunFile; portPatienceMs: number }> {
  let portPatienceMs = 0;
  const runFile = await RunFile.take(folder, clock, (name) => {
    portPatienceMs = LEFTOVER_PORT_MS;
    view.step(`ended ${name}, left behind by a launcher that was killed`);
  });
  return { runFile, portPatienceMs };
}

class RealSystem {
  readonly #start: SystemStart;
  readonly #folders: LocalFolders;
  readonly #group: UnitGroup;
  readonly #plan: PortPlan;
  readonly #nats: Broker<string>;
  readonly #kafka: Broker<readonly string[]>;
  readonly #around: ServiceSurroundings;

  constructor(start: SystemStart, folders: LocalFolders, group: UnitGroup) {
    this.#start = start;
    this.#folders = folders;
    this.#group = group;
    this.#plan = portPlan(start.options.portBase, start.deployment);
    this.#nats = natsBroker(this.#plan, folders);
    this.#kafka = kafkaBroker(this.#plan, folders);
    this.#around = {
      plan: this.#plan,
      deployment: start.deploymentFolder,
      natsUrl: this.#nats.address,
      kafkaBrokers: this.#kafka.address,
      folders,
    };
  }

  facts(): Omit<LocalSystem, 'services' | 'stop'> {
    return {
      title: `deployment ${this.#start.deployment.name}, every service a process of its own`,
      urls: commandUrls(this.#plan, this.#nats.address),
      notes: [`data ${shownPath(this.#folders.root)}, logs ${shownPath(this.#folders.logs)}; --fresh forgets the data`],
    };
  }

  /** A broker that was given listens elsewhere and needs no port here. */
  async refuseTakenPorts(patienceMs: number): Promise<void> {
    const { nats, kafka, kafkaController } = this.#plan;
    const needs = serviceNeeds(this.#plan);
    if (this.#nats.unit !== null) needs.push({ port: nats, name: 'nats-server' });
    if (this.#kafka.unit !== null) {
      needs.push({ port: kafka, name: 'Kafka' }, { port: kafkaController, name: "Kafka's controller" });
    }
    await refuseTakenPorts(needs, this.#start.clock, patienceMs);
  }

  async start(): Promise<void> {
    await Promise.all([this.#startStores(), this.#startBroker(this.#kafka.unit, this.#kafka.address.join(','))]);
    const { rebuildCubes } = this.#start.options;
    const { loader } = this.#plan;
    await this.#startServices([
      analyticsUnit(this.#around, rebuildCubes),
      ...(loader === null ? [] : [loaderUnit(this.#around, loader)]),
      ingestUnit(this.#around),
    ]);
    if (wantsClicks(this.#start)) await this.#startClicks();
  }

  async #startStores(): Promise<void> {
    await this.#startBroker(this.#nats.unit, this.#nats.address);
    await this.#startServices(backupUnits(this.#around));
    await this.#startServices(shardUnits(this.#around));
    await this.#startServices([traversalUnit(this.#around)]);
  }

  async #startBroker(unit: UnitSpec | null, address: string): Promise<void> {
    if (unit !== null) await this.#group.start(unit, address, false);
  }

  async #startServices(units: readonly ServiceUnit[]): Promise<void> {
    await Promise.all(units.map((unit) => this.#group.start(unit, httpUrl(unit.port), true)));
  }

  async #startClicks(): Promise<void> {
    const { clicksPerSecond } = this.#start.options;
    const unit = clicksUnit(this.#folders, httpUrl(this.#plan.ingest), clicksPerSecond);
    await this.#group.start(unit, `${clicksPerSecond}/s`, false);
  }
}
