import { partitionOfId } from '@niobe/cells';
import type { Bus } from '@niobe/grid';
import { isNiobeError, NiobeError, type Clock } from '@niobe/kernel';
import type { PartitionStore } from '@niobe/store';
import type { SharePage } from '../frames/collect.ts';
import type { FrontierPart } from '../frames/frontier.ts';
import type { SectionReader, SectionWriter } from '../frames/slot-sections.ts';
import type { SearchPlan } from '../frames/start.ts';
import { VertexSets } from '../sets/vertex-sets.ts';
import { traverseSubject } from '../subject.ts';
import { BudgetGuard } from './budget.ts';
import { Course } from './course.ts';
import { Expansion } from './expansion.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { ReachedVertices } from './reached.ts';
import type { ReaderPool } from './reader-pool.ts';
import type { SearchedCells } from './searched-cells.ts';
import { Selection } from './selection.ts';
import { Settling } from './settling.ts';
import { Telling } from './telling.ts';

/**
 * One search at one shard: a breadth-first search over the vertices of its own partitions, in step with all other shards.
 *
 *     settle     candidates in own partitions become reached vertices; the first are the start vertices
 *     expand     their neighbours become candidates: in own partitions for the next settling, in foreign ones to be told
 *     tell       each other shard gets its candidates, and this shard's totals; also where there is nothing to tell
 *     hear       the others' candidates, until all have told the step; then `Course` says how it goes on
 *     select     at the end: the first rows of the answer
 *     seal       until all that was seen is durable
 *
 * So a level costs one message from each shard to each other, and nobody in the middle.
 */

/** Where a task is; what it has at the end is taken from {@link SearchTask.share}. */
type Phase = 'settle' | 'expand' | 'tell' | 'hear' | 'select' | 'seal' | 'over';

/** What a {@link SearchTask} works with. */
export interface SearchTaskOptions {
  readonly plan: SearchPlan;
  /** Index of this shard in the plan. */
  readonly self: number;
  readonly deployment: string;
  readonly bus: Bus;
  readonly cells: SearchedCells;
  readonly readers: ReaderPool;
  /** Scratch memory, which searches use in turn. */
  readonly sections: { readonly reader: SectionReader; readonly writer: SectionWriter };
  readonly clock: Clock;
  readonly onOver: () => void;
  readonly onFailed: (error: NiobeError) => void;
}

export class SearchTask {
  readonly id: number;
  /** Monotonic time at which it is to be over. */
  readonly endMs: number;
  /** Monotonic time of the last message about it. */
  heardMs: number;
  readonly #options: SearchTaskOptions;
  readonly #own: readonly number[];
  readonly #stores: (PartitionStore | null)[];
  readonly #sets: VertexSets;
  readonly #reached = new ReachedVertices();
  readonly #settling: Settling;
  readonly #expansion: Expansion;
  readonly #course: Course;
  readonly #budget: BudgetGuard;
  readonly #inbox: Inbox;
  readonly #telling: Telling;
  #selection: Selection | null = null;
  #phase: Phase = 'settle';
  #step = 0;
  /** Vertices that the last settling added, here and (in the step before) everywhere. */
  #settled = 0;
  #allSettled = 0;
  /** Candidates of this step, here and everywhere. */
  #candidates = 0;
  #allCandidates = 0;
  /** Whether the last step began a level. */
  #isLevelBegun = false;
  /** Index of the first vertex of the last settling. */
  #levelFrom = 0;
  /** Index of the first vertex that the present hop reached. */
  #hopFrom = 0;
  #isEnded = false;

  constructor(options: SearchTaskOptions) {
    const { plan, self, readers, clock } = options;
    this.#options = options;
    this.id = plan.task;
    this.heardMs = clock.monotonicMs();
    this.endMs = this.heardMs + plan.leftMs;
    this.#own = [...plan.owners.keys()].filter((partition) => plan.owners[partition] === self);
    this.#stores = Array.from({ length: plan.owners.length }, () => null);
    this.#sets = new VertexSets(plan.owners);
    this.#settling = new Settling(this.#reached, clock);
    this.#expansion = new Expansion({ reached: this.#reached, sets: this.#sets, readers, clock });
    this.#course = new Course(plan.hops);
    this.#budget = new BudgetGuard(plan.budget);
    this.#inbox = new Inbox(plan.shards.length, self);
    this.#telling = new Telling(this.#sets, this.#openOutboxes(), clock);
    this.#seat();
    this.#place();
  }

  /** The level that was come to. */
  get level(): number {
    return this.#reached.level;
  }

  /** What this shard has of the answer; null until the task is over. */
  get share(): SharePage | null {
    if (this.#phase !== 'over') return null;
    const rows = this.#selection?.rows ?? [];
    const total = this.#course.isLastHop ? this.#reached.length - this.#hopFrom : 0;
    return { total, levels: this.#reached.levelSizes(), rows, rowCount: rows.length };
  }

  /** Whether {@link run} would do anything. */
  get canRun(): boolean {
    if (this.#phase === 'seal' || this.#phase === 'over') return false;
    return this.#phase !== 'hear' || this.#inbox.hasNews;
  }

  /** Takes what another shard tells. Throws `MALFORMED`. */
  take(part: FrontierPart): void {
    this.#inbox.take(part);
  }

  /** Works until there is nothing to do or the time is up. Throws what ends the search. */
  run(endMs: number): void {
    this.#seat();
    while (this.canRun && this.#advance(endMs));
    this.#checkBudget();
  }

  /** Frees what it holds outside memory that is collected: nothing is sent any more. */
  end(): void {
    this.#isEnded = true;
    this.#telling.close();
    this.#expansion.end();
  }

  #openOutboxes(): (Outbox | null)[] {
    const { plan, self, deployment, bus, sections, clock, onFailed } = this.#options;
    return plan.shards.map((name, shard) => {
      if (shard === self) return null;
      const subject = traverseSubject(deployment, name);
      return new Outbox({ bus, subject, task: plan.task, sender: self, clock, sections: sections.writer, onFailed });
    });
  }

  /** Partitions may be lost between two slices. */
  #seat(): void {
    const { cells, plan } = this.#options;
    for (const partition of this.#own) this.#stores[partition] = cells.storeOf(partition, plan.epochs[partition]!);
  }

  #place(): void {
    for (const id of this.#options.plan.starts) {
      const high = Math.floor(id / SLOTS);
      if (this.#options.plan.owners[partitionOfId(id)] === this.#options.self)
        this.#sets.of(high)?.receive(id % SLOTS, 1);
    }
    this.#beginSettling();
  }

  /** One phase, or a slice of it. False if the time is up. */
  #advance(endMs: number): boolean {
    switch (this.#phase) {
      case 'settle':
        if (!this.#settling.run(this.#stores, endMs)) return false;
        this.#goOn();
        return true;
      case 'expand':
        if (!this.#telling.tellFull(endMs) || !this.#expansion.run(this.#stores, endMs)) return false;
        this.#phase = 'tell';
        return true;
      case 'tell':
        if (!this.#telling.tellAll(endMs)) return false;
        this.#endTelling();
        return true;
      case 'hear':
        return this.#hear(endMs);
      case 'select':
        if (!this.#selection!.run(this.#stores, endMs)) return false;
        this.#seal();
        return true;
      default:
        return false;
    }
  }

  #beginSettling(): void {
    this.#phase = 'settle';
    this.#levelFrom = this.#reached.length;
    this.#settling.begin(this.#sets.all.filter((set) => set.owner === this.#options.self));
  }

  /** After a settling: the first step, or the one that the course says. */
  #goOn(): void {
    this.#settled = this.#reached.length - this.#levelFrom;
    const next = this.#step === 0 ? 'hop' : this.#course.advance(this.#allSettled, this.#allCandidates);
    if (next === 'over') return this.#select();
    if (next === 'level') return this.#beginStep(this.#levelFrom);
    const from = this.#hopFrom;
    this.#hopFrom = this.#reached.length;
    this.#beginStep(from);
  }

  /** Expands what was reached from an index on. */
  #beginStep(from: number): void {
    if (this.#step > 0) this.#inbox.advance();
    this.#step += 1;
    const { isLastHop, isHopBegin, hop } = this.#course;
    if (this.#options.plan.isCounting && isLastHop && isHopBegin) this.#beginCounting();
    this.#telling.beginStep(this.#step);
    this.#expansion.begin(from, this.#reached.length, hop.schemaIds);
    this.#phase = 'expand';
  }

  #beginCounting(): void {
    this.#sets.count();
    this.#reached.countsFrom = this.#reached.length;
  }

  #endTelling(): void {
    let own = 0;
    for (const set of this.#sets.all) if (set.owner === this.#options.self) own += set.fresh.length;
    this.#candidates = this.#telling.told + own;
    this.#telling.end({
      candidates: this.#candidates,
      settled: this.#settled,
      vertices: this.#reached.length,
      bytes: this.#bytes(),
    });
    this.#phase = 'hear';
  }

  #hear(endMs: number): boolean {
    for (let part = this.#inbox.peek(); part !== undefined; part = this.#inbox.peek()) {
      while (part.sections.remaining > 0) {
        if (this.#options.clock.monotonicMs() >= endMs) return false;
        this.#hearSection(part);
      }
      this.#inbox.shift();
    }
    if (this.#inbox.isComplete) this.#endStep();
    return true;
  }

  #hearSection(part: FrontierPart): void {
    const sections = this.#options.sections.reader;
    sections.read(part.sections);
    const set = this.#sets.of(sections.high);
    if (set === undefined || set.owner !== this.#options.self)
      throw new NiobeError('MALFORMED', `candidates of partition ${sections.high >>> 8}, which is another shard's`);
    for (let i = 0; i < sections.length; i++) set.receive(sections.slots[i]!, sections.counts[i]!);
  }

  /** Everybody has told the step. */
  #endStep(): void {
    const { totals } = this.#inbox;
    this.#budget.hear(totals);
    this.#allSettled = totals.reduce((sum, { settled }) => sum + settled, this.#settled);
    this.#allCandidates = totals.reduce((sum, { candidates }) => sum + candidates, this.#candidates);
    if (this.#isLevelBegun && this.#allSettled === 0) this.#reached.dropLevel();
    this.#isLevelBegun = this.#allCandidates > 0;
    if (this.#isLevelBegun) this.#reached.beginLevel();
    this.#beginSettling();
  }

  #select(): void {
    const { plan, cells, clock } = this.#options;
    const { wantsRows, isCounting, orderBy, limit } = plan;
    if (!wantsRows || !this.#course.isLastHop) return this.#seal();
    const from = this.#hopFrom;
    this.#selection = new Selection({
      reached: this.#reached,
      from,
      isCounting,
      orderBy,
      limit,
      schemas: cells.schemas,
      clock,
    });
    this.#phase = 'select';
  }

  #seal(): void {
    const { cells, clock, onOver, onFailed } = this.#options;
    this.#phase = 'seal';
    cells.whenDurable(this.#own, Math.max(0, this.endMs - clock.monotonicMs())).then(
      () => {
        if (this.#isEnded) return;
        this.#phase = 'over';
        onOver();
      },
      (error: unknown) => {
        if (!isNiobeError(error)) throw error;
        if (!this.#isEnded) onFailed(error);
      },
    );
  }

  #bytes(): number {
    return this.#sets.bytes + this.#reached.bytes + this.#inbox.bytes + this.#telling.bytes;
  }

  #checkBudget(): void {
    this.#budget.check(this.#reached.length, this.#bytes(), this.#reached.level);
  }
}

/** Slots of a partition and generation: what the low 32 bits of a cell id say. */
const SLOTS = 0x1_0000_0000;
