import { describe, expect, it } from '@jest/globals';
import { isNiobeError } from '@niobe/kernel';
import { MIB } from '../test/cells.ts';
import { Cluster, PARTITION } from '../test/cluster.ts';
import { CHECK_MS } from './limits.ts';

/**
 * A primary and two backup servers under faults: lost, doubled and late messages, kills of all of them, folders deleted. After every
 * recovery the cells must be those after one commit, in the history of the epoch that wrote it, and that history must have every commit
 * that was ever acknowledged as durable. (An epoch of which nothing became durable may leave no trace at all.)
 */

const SEEDS = 16;
const STEPS = 400;
const KEYS = 12;

interface Commit {
  readonly seq: number;
  readonly changes: ReadonlyMap<string, number | null>;
}

class Simulation {
  readonly cluster: Cluster;
  readonly met = { acknowledged: 0, recoveries: 0, dropped: 0, freed: 0, refilled: 0, alone: 0 };
  /** Commits that the present epoch stands on, and its own. */
  #history: Commit[] = [];
  readonly #historyOf = new Map<number, Commit[]>([[0, []]]);
  readonly #acked = new Set<Commit>();
  #defect: unknown = null;
  #nextValue = 1;
  #starting: Promise<unknown> | null = null;

  constructor(seed: number) {
    this.cluster = new Cluster({ seed, ballast: [4 * MIB, MIB] });
  }

  async run(): Promise<void> {
    this.cluster.startBackups();
    for (let i = 0; i < STEPS; i++) await this.#step();
    await this.#heal();
  }

  async #step(): Promise<void> {
    const { cluster } = this;
    const dice = cluster.random.below(100);
    if (dice < 50) this.#write();
    else if (dice < 60) this.#clean();
    else if (dice < 63) this.#killPrimary();
    else if (dice < 65) this.#killBackup();
    else if (dice < 75) this.#startBackup();
    else if (dice < 79) this.#emptyBackup();
    else if (dice < 83) this.#setFaults();
    else if (dice < 94) this.#startPrimary();
    else if (dice < 95) this.#losePower();
    await cluster.pass(cluster.random.below(16));
  }

  #write(): void {
    const { primary, random } = this.cluster;
    if (primary === null || primary.shipper.isOverloaded) return;
    const changes = new Map<string, number | null>();
    for (let left = 1 + random.below(3); left > 0; left--)
      changes.set(`key-${random.below(KEYS)}`, random.below(5) === 0 ? null : this.#nextValue++);
    const beforeSeq = primary.log.lastSeq;
    try {
      const seq = primary.cells.write(changes, random.below(4) === 0 ? 100_000 : 100);
      if (seq === beforeSeq) return; // It deleted what was not there.
      const commit = { seq, changes };
      this.#history.push(commit);
      primary.shipper.whenDurable(PARTITION, seq, 1_000).then(
        () => this.#acknowledge(commit),
        () => undefined,
      );
    } catch (error) {
      if (!isNiobeError(error, 'STORE_FULL')) throw error;
    }
  }

  #acknowledge(commit: Commit): void {
    this.met.acknowledged += 1;
    this.#acked.add(commit);
  }

  #clean(): void {
    const { primary } = this.cluster;
    if (primary === null) return;
    for (let slices = 0; slices < 5; slices++) primary.cells.store.clean(1);
    this.met.freed = Math.max(
      this.met.freed,
      ...primary.log.base.filter((b) => !primary.log.segment(b.segment)).map(() => 1),
    );
  }

  #killPrimary(): void {
    if (this.#starting !== null) return;
    this.cluster.killPrimary();
  }

  #killBackup(): void {
    const backup = this.cluster.backups[this.cluster.random.below(2)]!;
    if (backup.server !== null) backup.kill();
  }

  #losePower(): void {
    this.#killPrimary();
    for (const backup of this.cluster.backups) if (backup.server !== null) backup.kill();
  }

  #startBackup(): void {
    for (const backup of this.cluster.backups) if (backup.server === null) backup.start();
  }

  /** Only while the other disk could be used alone: two lost disks are lost. */
  #emptyBackup(): void {
    const at = this.cluster.random.below(2);
    const backup = this.cluster.backups[at]!;
    const other = this.cluster.backups[1 - at]!;
    if (backup.server !== null || other.disk.afterCrash().holding(PARTITION).completeEpoch === 0) return;
    backup.empty();
    this.met.refilled += 1;
  }

  #setFaults(): void {
    const { network, random } = this.cluster;
    const chance = random.below(2) * 0.1;
    network.setFaults({ dropChance: chance / 4, duplicateChance: chance, delayChance: chance, delayMsMax: 40 });
  }

  #startPrimary(): void {
    if (this.cluster.primary !== null || this.#starting !== null) return;
    this.#starting = this.#recover().finally(() => (this.#starting = null));
    this.#starting.catch(() => undefined);
  }

  async #recover(): Promise<void> {
    try {
      const { recovery } = await this.cluster.startPrimary();
      this.#verify(recovery.lastCommit);
      this.met.recoveries += 1;
      if (recovery.unreachable.length > 0) this.met.alone += 1;
    } catch (error) {
      if (!isNiobeError(error, 'BACKUP_UNAVAILABLE') && !isNiobeError(error, 'FENCED')) this.#defect = error;
    }
  }

  #verify({ epoch, seq }: { epoch: number; seq: number }): void {
    const before = this.#historyOf.get(epoch)!;
    this.#history = before.filter((commit) => commit.seq <= seq);
    this.#historyOf.set(this.cluster.epoch, this.#history);
    this.met.dropped += before.length - this.#history.length;
    const lost = [...this.#acked].filter((commit) => !this.#history.includes(commit));
    expect(lost).toEqual([]);
    expect(this.cluster.primary!.cells.all()).toEqual(this.#expected());
  }

  #expected(): [string, number][] {
    const cells = new Map<string, number>();
    for (const { changes } of this.#history)
      for (const [key, value] of changes)
        if (value === null) cells.delete(key);
        else cells.set(key, value);
    return [...cells].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Everything comes back: all becomes durable, and both copies are the log, byte for byte. */
  async #heal(): Promise<void> {
    const { cluster } = this;
    cluster.network.setFaults({});
    this.#startBackup();
    if (this.#starting !== null) await cluster.settle(this.#starting);
    for (let tries = 0; cluster.primary === null && tries < 3; tries++) await cluster.settle(this.#recover());
    if (this.#defect !== null) throw this.#defect;
    const { shipper, log, cells } = cluster.primary!;
    await cluster.pass(2 * CHECK_MS);
    await cluster.settle(shipper.drain(50_000));
    await cluster.until(() => shipper.status().every((link) => link.completePartitions === 1), 'both copies complete');
    await cluster.pass(50);
    for (const backup of cluster.backups) await this.#expectSame(backup.disk.afterCrash(), cells, log.segments());
    expect(cells.all()).toEqual(this.#expected());
    shipper.close();
  }

  async #expectSame(
    disk: ReturnType<Cluster['backups'][0]['disk']['afterCrash']>,
    cells: NonNullable<Cluster['primary']>['cells'],
    segments: readonly { segment: number; epoch: number; endBytes: number }[],
  ): Promise<void> {
    const holding = disk.holding(PARTITION);
    const expected = segments
      .filter(({ endBytes }) => endBytes > 0)
      .map(({ segment, epoch, endBytes }) => ({ segment, epoch, heldBytes: endBytes, committedBytes: endBytes }));
    expect(holding.segments).toEqual(expected);
    expect(holding.completeEpoch).toBe(this.cluster.epoch);
    for (const { segment, epoch, heldBytes } of expected) {
      const held = await disk.read(PARTITION, segment, epoch, 0, heldBytes);
      expect(Buffer.from(held).equals(Buffer.from(cells.store.segmentBytes(segment)))).toBe(true);
    }
  }
}

describe('replication under faults', () => {
  const met: Simulation['met'][] = [];

  it.each(Array.from({ length: SEEDS }, (_, seed) => [seed + 1]))('seed %i', async (seed) => {
    const simulation = new Simulation(seed);
    await simulation.run();
    met.push(simulation.met);
    expect(simulation.met.recoveries).toBeGreaterThan(0);
  });

  it('met what it is about', () => {
    const total = (of: keyof Simulation['met']): number => met.reduce((sum, one) => sum + one[of], 0);
    expect(total('acknowledged')).toBeGreaterThan(SEEDS * 10);
    expect(total('recoveries')).toBeGreaterThan(SEEDS * 2);
    for (const rare of ['dropped', 'freed', 'refilled', 'alone'] as const) expect(total(rare)).toBeGreaterThan(0);
  });
});
