import { isDeepStrictEqual } from 'node:util';
import type { CellRecord, CompiledSchema } from '@niobe/cells';
import { isNiobeError, ManualClock } from '@niobe/kernel';
import { Arena, PartitionStore, SCAN_END, type RecoveredSegment } from '@niobe/store';
import { LogCopy } from './log-copy.ts';
import type { ModelOperation, ModelScale, ModelStep } from './model-steps.ts';
import { ModelScan } from './model-scan.ts';
import { ModelSnapshot, shownShape } from './model-snapshot.ts';
import { KEYED_SCHEMA, KEYLESS_SCHEMA, mergedRecord, sampleRecord, sampleSchemas, shapeOf } from './sample-cells.ts';
import { SpokenStore } from './spoken-store.ts';

/**
 * A partition against a plain `Map`: random batches, rollbacks, time, cleaning, shipping, scans, snapshots and crashes. Memory is so scarce that
 * segments are cleaned all the time and some batches meet a full store.
 *
 * After each operation its key is compared; after a crash everything is, with what the model held at the last commit that had arrived
 * at the copy: nothing written later may be seen, nothing before may miss. What differs is thrown as an error that says where.
 */
export class ModelTrial {
  readonly #scale: ModelScale;
  readonly #clock = new ManualClock();
  readonly #copy = new LogCopy();
  #spoken: SpokenStore;
  #model: Model = new Map();
  #epoch = 1;
  /** The model after each commit that may not have reached the copy. */
  #history: { readonly seq: number; readonly model: Model }[] = [{ seq: 0, model: new Map() }];
  #scan: ModelScan | null = null;
  /** Ids of all cells that ever were to expire. */
  readonly #expiring = new Set<number>();
  /** The oldest first. */
  #snapshots: ModelSnapshot[] = [];
  readonly met: ModelEncounters = noEncounters();

  constructor(scale: ModelScale) {
    this.#scale = scale;
    this.#spoken = this.#open([]);
  }

  /** A store on a new arena of which 3 MiB beside the reserve are left. */
  #open(segments: Iterable<RecoveredSegment>): SpokenStore {
    const arena = new Arena({ bytes: 16 * MIB });
    for (const bytes of BALLAST_BYTES) must(arena.open(BALLAST_NUMBER, bytes, 'write', 0) !== null, 'there is ballast');
    const options = { partition: PARTITION, epoch: this.#epoch, arena, schemas: sampleSchemas(), firstSegment: 1 };
    const store = PartitionStore.recover({ ...options, clock: this.#clock, events: this.#copy }, segments);
    this.#copy.store = store;
    return new SpokenStore(store);
  }

  take(step: ModelStep): void {
    const { store } = this.#spoken;
    switch (step.do) {
      case 'batch':
        this.#batch(step.operations, step.rollsBack);
        break;
      case 'clean':
        for (let i = 0; i < step.amount; i++) store.clean(1);
        break;
      case 'ship':
        this.#ship(step.amount);
        break;
      case 'advance':
        this.#clock.advance(step.amount * 1000);
        break;
      case 'scan':
        this.#goOnScanning(step.amount);
        break;
      case 'snapshot':
        if (step.amount > 0 && this.#snapshots.length < SNAPSHOTS_MAX) this.#takeSnapshot();
        else this.#endSnapshot();
        break;
      default:
        this.#crash();
    }
  }

  #batch(operations: readonly ModelOperation[], rollsBack: boolean): void {
    const { store } = this.#spoken;
    const before = new Map(this.#model);
    store.begin();
    try {
      for (const operation of operations) this.#operate(operation);
      if (rollsBack) {
        this.#model = before;
        store.rollback();
      } else {
        this.#remember(store.commit().seq);
      }
    } catch (error) {
      if (!isNiobeError(error, 'STORE_FULL')) throw error;
      this.met.storeFull += 1;
      this.#model = before;
      store.rollback();
    }
    for (const { key } of operations) this.#compare(nameOf(key));
  }

  #remember(seq: number): void {
    this.#history.push({ seq, model: new Map(this.#model) });
  }

  #ship(count: number): void {
    this.#copy.ship(count);
    const kept = this.#history.findLastIndex(({ seq }) => seq <= this.#copy.durableSeq);
    this.#history.splice(0, kept);
  }

  #operate(operation: ModelOperation): void {
    this.met.operations += 1;
    const spoken = this.#spoken;
    const key = nameOf(operation.key);
    const held = this.#live(key);
    const record = sampleRecord(key, operation.count, operation.bytes);
    const expiresS = operation.ttlS === 0 ? 0 : Math.floor(this.#clock.nowMs() / 1000) + operation.ttlS;
    switch (operation.kind) {
      case 'put':
        return this.#put(key, held, record, expiresS);
      case 'putIfAbsent':
        if (held !== null) return this.#refused('EXISTS', () => spoken.putIfAbsent(KEYED, key, record, expiresS));
        same(spoken.putIfAbsent(KEYED, key, record, expiresS), 'created', `putIfAbsent of ${key}`);
        return this.#hold(key, record, expiresS);
      case 'replace':
        return this.#replace(key, held, record);
      case 'stale':
        if (held === null) return this.#refused('NOT_FOUND', () => spoken.delete(KEYED, key, 1, 1));
        return this.#refused('VERSION_MISMATCH', () => spoken.delete(KEYED, key, NO_EPOCH, 1));
      case 'delete':
        same(spoken.delete(KEYED, key), held === null ? 'absent' : 'deleted', `delete of ${key}`);
        this.#model.delete(key);
        return undefined;
      case 'merge': {
        const delta = { ...record, label: 'ignored', high: operation.count };
        spoken.merge(KEYED, key, delta, expiresS);
        return this.#hold(key, held === null ? delta : mergedRecord(held.record, delta), expiresS);
      }
      case 'create':
        return this.#create(record, expiresS);
      default:
        return this.#operateById(operation.kind, this.#someId(operation.key), record, expiresS);
    }
  }

  #put(key: string, held: Held | null, record: CellRecord, expiresS: number): void {
    const isSame = held?.expiresS === expiresS && shapeOf(held.record) === shapeOf(record);
    const status = held === null ? 'created' : isSame ? 'unchanged' : 'updated';
    same(this.#spoken.put(KEYED, key, record, expiresS), status, `put of ${key}`);
    this.#hold(key, record, expiresS);
  }

  #replace(key: string, held: Held | null, record: CellRecord): void {
    if (held === null) return this.#refused('NOT_FOUND', () => this.#spoken.replace(KEYED, key, record, 1, 1));
    const { store } = this.#spoken;
    const slot = this.#spoken.find(KEYED, key);
    this.#spoken.replace(KEYED, key, record, store.versionEpoch(slot), store.versionSeq(slot));
    return this.#hold(key, record, 0);
  }

  #create(record: CellRecord, expiresS: number): void {
    const id = this.#spoken.create(KEYLESS_SCHEMA, record, expiresS);
    must(!this.#model.has(id), `id ${id} was given before`);
    this.#hold(id, record, expiresS);
  }

  /** Changes a cell without key, if there is one. */
  #operateById(kind: 'overwrite' | 'remove', id: number | undefined, record: CellRecord, expiresS: number): void {
    if (id === undefined) return;
    if (kind === 'overwrite') {
      this.met.overwritten += 1;
      this.#spoken.overwrite(KEYLESS_SCHEMA, id, record, expiresS);
      this.#hold(id, record, expiresS);
    } else {
      this.met.removed += 1;
      this.#spoken.remove(id);
      this.#model.delete(id);
    }
    this.#compare(id);
  }

  /** Notes a write. The version of a cell, and of one that takes the place of a deleted one, only rises. */
  #hold(name: string | number, record: CellRecord, expiresS: number): void {
    const slot = this.#slotOf(name);
    const { store } = this.#spoken;
    const version = [store.versionEpoch(slot), store.versionSeq(slot)] as const;
    const before = this.#model.get(name);
    if (before !== undefined) must(!isAbove(before.version, version), `the version of ${name} fell`);
    const id = store.idOf(slot);
    if (expiresS !== 0) this.#expiring.add(id);
    this.#model.set(name, { record, expiresS, version, id });
  }

  #someId(nth: number): number | undefined {
    const ids = [...this.#model.keys()].filter((name) => typeof name === 'number' && this.#live(name) !== null);
    return ids[nth % ids.length] as number | undefined;
  }

  #refused(code: string, attempt: () => unknown): void {
    this.met.refused += 1;
    try {
      attempt();
    } catch (error) {
      if (isNiobeError(error) && error.code === code) return;
      throw error;
    }
    throw new Error(`expected ${code}`);
  }

  #live(name: string | number): Held | null {
    const held = this.#model.get(name);
    if (held === undefined || (held.expiresS !== 0 && held.expiresS * 1000 <= this.#clock.nowMs())) return null;
    return held;
  }

  #slotOf(name: string | number): number {
    return typeof name === 'string' ? this.#spoken.find(KEYED, name) : this.#spoken.store.slotOfId(name);
  }

  #compare(name: string | number): void {
    const held = this.#live(name);
    const slot = this.#slotOf(name);
    if (held === null) return must(slot < 0, `${name} is there`);
    must(slot >= 0, `${name} is missing`);
    const { store } = this.#spoken;
    const found = this.#spoken.recordOf(schemaOf(name), slot);
    same(shapeOf(found), shapeOf(held.record), `the record of ${name}`);
    same(store.expiresS(slot), held.expiresS, `the expiry of ${name}`);
    same([store.versionEpoch(slot), store.versionSeq(slot)], held.version, `the version of ${name}`);
    same(store.idOf(slot), held.id, `the id of ${name}`);
  }

  /** Begins a scan or takes the next rounds of the one under way. */
  #goOnScanning(limitBytes: number): void {
    this.#scan ??= new ModelScan(this.#spoken, KEYED, this.#ids());
    if (this.#scan.goOn(limitBytes) !== SCAN_END) return;
    this.#scan.finish(this.#ids());
    this.#scan = null;
    this.met.scans += 1;
  }

  #takeSnapshot(): void {
    const shapes = new Map<number, string>();
    for (const [name, { id, record, version }] of this.#model)
      if (this.#live(name) !== null) shapes.set(id, shownShape(shapeOf(record), version));
    this.#snapshots.push(new ModelSnapshot(this.#spoken, { shapes, expiring: this.#expiring }));
  }

  /** Compares the oldest with the model of its time, and with the newest. */
  #endSnapshot(): void {
    const oldest = this.#snapshots.shift();
    if (oldest === undefined) return;
    const newest = this.#snapshots.at(-1);
    const isOpen = oldest.compare() && (newest === undefined || oldest.compareDiff(newest));
    this.met[isOpen ? 'snapshots' : 'evicted'] += 1;
    oldest.close();
  }

  /** Ids of the cells with a key. */
  #ids(): Set<number> {
    const names = [...this.#model.keys()].filter((name) => typeof name === 'string' && this.#live(name) !== null);
    return new Set(names.map((name) => this.#model.get(name)!.id));
  }

  /** The owner dies; the partition is what the copy had. */
  #crash(): void {
    this.#count();
    this.#epoch += 1;
    this.met.crashes += 1;
    const kept = this.#history.findLast(({ seq }) => seq <= this.#copy.durableSeq)!;
    for (const snapshot of this.#snapshots.splice(0)) snapshot.close();
    this.#spoken.store.close();
    const segments = this.#copy.segments();
    this.#copy.crash();
    this.#spoken = this.#open(segments);
    this.#model = new Map(kept.model);
    this.#history = [{ seq: kept.seq, model: kept.model }];
    this.#scan = null;
    this.compare();
  }

  #count(): void {
    this.met.emptied += this.#spoken.store.counts.emptiedSegments;
    this.met.expired += this.#spoken.store.counts.expiredCells;
  }

  /** Compares everything. */
  compare(): void {
    const live = [...this.#model.keys()].filter((name) => this.#live(name) !== null);
    const found: (string | number)[] = [];
    for (const schema of [KEYED, KEYLESS_SCHEMA])
      this.#spoken.each(schema, (slot) => found.push(this.#spoken.nameOf(schema, slot)));
    same(new Set(found).size, found.length, 'cells that a scan visits, once each');
    same(new Set(found), new Set(live), 'the names of all cells');
    for (let key = 0; key < this.#scale.keys; key++) this.#compare(nameOf(key));
    for (const name of this.#model.keys()) this.#compare(name);
    this.#spoken.store.audit();
  }

  /** However full the store is: deletes go on, and once all is shipped and cleaned there is room again. */
  finish(): void {
    this.compare();
    for (let key = 0; key < this.#scale.keys; key++) this.#delete(nameOf(key));
    for (let id = this.#someId(0); id !== undefined; id = this.#someId(0)) this.#delete(id);
    this.#settle();
    const last = sampleRecord('last', 1, 200_000);
    this.#spoken.batch(() => this.#put('last', null, last, 0));
    this.compare();
    this.#copy.ship();
    this.#remember(this.#spoken.store.lastCommit().seq);
    this.#crash();
  }

  #delete(name: string | number): void {
    this.#spoken.batch(() => {
      if (typeof name === 'string') this.#spoken.delete(KEYED, name);
      else this.#spoken.remove(name);
    });
    this.#model.delete(name);
  }

  #settle(): void {
    while (this.#snapshots.length > 0) this.#endSnapshot();
    do this.#copy.ship();
    while (this.#spoken.store.clean(1));
    this.#copy.ship();
  }
}

/** How often a trial met what it is there for. One that never met these would prove nothing about them. */
export type ModelEncounters = Record<(typeof ENCOUNTERS)[number], number>;

const ENCOUNTERS = [
  'operations',
  'storeFull',
  'emptied',
  'expired',
  'crashes',
  'refused',
  'overwritten',
  'removed',
  'scans',
  'snapshots',
  'evicted',
] as const;

/** All counts 0. */
export function noEncounters(): ModelEncounters {
  return Object.fromEntries(ENCOUNTERS.map((name) => [name, 0])) as ModelEncounters;
}

/** Adds the counts of one trial to those of all. */
export function addEncounters(all: ModelEncounters, one: ModelEncounters): void {
  for (const name of ENCOUNTERS) all[name] += one[name];
}

interface Held {
  readonly record: CellRecord;
  readonly expiresS: number;
  /** Epoch and seq. */
  readonly version: readonly [number, number];
  readonly id: number;
}
/** Cells by key; those without one by id. */
type Model = Map<string | number, Held>;

const MIB = 1024 * 1024;
const PARTITION = 3;
const BALLAST_BYTES: readonly number[] = [4 * MIB, MIB];
const BALLAST_NUMBER = 999_999;
const KEYED = KEYED_SCHEMA;
const SNAPSHOTS_MAX = 3;
/** An epoch that no trial comes to. */
const NO_EPOCH = 999_999;

function nameOf(key: number): string {
  return `key ${key}`;
}

function schemaOf(name: string | number): CompiledSchema {
  return typeof name === 'string' ? KEYED : KEYLESS_SCHEMA;
}

function isAbove(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function same(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what}: ${shown(actual)} where the model has ${shown(expected)}`);
}

function shown(value: unknown): string {
  return JSON.stringify(value instanceof Set ? [...value] : value).slice(0, SHOWN_CHARS);
}

const SHOWN_CHARS = 400;
