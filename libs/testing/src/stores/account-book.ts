import { compileSchema, SchemaTable, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, isNiobeError, mix32, systemClock, type Random } from '@niobe/kernel';
import { PartitionStore, type Arena, type StoreEvents } from '@niobe/store';

/** An account: so much, a seal that only fits this account and amount, and a note that gives the cell a size. */
export const ACCOUNT: CompiledSchema = compileSchema(16, 1, {
  name: 'accounts',
  key: 'integer',
  fields: { amount: { type: 'i32' }, seal: { type: 'i32' }, note: { type: 'bytes', maxBytes: 1000 } },
});

/** What the accounts of a book have together, always. */
export function totalOf(accounts: number): number {
  return accounts * AMOUNT_AT_FIRST;
}

/** What an account's cell must hold beside its amount. */
export function sealOf(account: number, amount: number): number {
  return mix32(account ^ mix32(amount)) | 0;
}

/**
 * Accounts in a partition, and transfers between them in batches: some only move an amount, some close an account and give what it had to
 * another, some open one again. So every commit leaves the total as it was, and nothing else does. Segments are released as soon as they
 * are retired, and the cleaner works after every batch as long as it finds anything.
 */
export class AccountBook {
  readonly accounts: number;
  readonly arena: Arena;
  readonly store: PartitionStore;
  readonly #random: Random;
  readonly #amounts: Int32Array;
  readonly #isOpen: Uint8Array;
  readonly #out = new ByteWriter(CELL_BYTES);
  readonly #note = new Uint8Array(NOTE_BYTES_MAX);
  readonly #retired: number[] = [];
  commits = 0;
  /** Batches that were refused because the store was full. */
  refused = 0;

  constructor(accounts: number, arena: Arena, random: Random) {
    this.accounts = accounts;
    this.arena = arena;
    this.#random = random;
    this.#amounts = new Int32Array(accounts).fill(AMOUNT_AT_FIRST);
    this.#isOpen = new Uint8Array(accounts).fill(1);
    const schemas = new SchemaTable();
    schemas.add(ACCOUNT);
    const options = { partition: 1, epoch: 1, arena, schemas, clock: systemClock, firstSegment: 1 };
    this.store = new PartitionStore({ ...options, events: this.#events() });
    for (let first = 0; first < accounts; first += BATCH_ACCOUNTS) this.#openFrom(first);
  }

  #events(): StoreEvents {
    const nothing = (): void => undefined;
    return {
      appended: nothing,
      opened: nothing,
      sealed: nothing,
      retired: (segment) => this.#retired.push(segment),
    };
  }

  #openFrom(first: number): void {
    this.store.begin();
    for (let account = first; account < Math.min(first + BATCH_ACCOUNTS, this.accounts); account++) this.#put(account);
    this.store.commit();
  }

  /** One batch of transfers, then the cleaner. */
  transfer(): void {
    const touched = new Map<number, readonly [amount: number, isOpen: number]>();
    this.store.begin();
    try {
      for (let i = this.#random.below(TRANSFERS_MAX); i >= 0; i--) this.#move(touched);
      this.store.commit();
      this.commits += 1;
    } catch (error) {
      this.#undo(touched);
      if (!isNiobeError(error, 'STORE_FULL')) throw error;
      this.refused += 1;
    }
    this.#clean();
  }

  #undo(touched: ReadonlyMap<number, readonly [amount: number, isOpen: number]>): void {
    this.store.rollback();
    for (const [account, [amount, isOpen]] of touched) {
      this.#amounts[account] = amount;
      this.#isOpen[account] = isOpen;
    }
  }

  #move(touched: Map<number, readonly [amount: number, isOpen: number]>): void {
    const from = this.#random.below(this.accounts);
    const to = this.#random.below(this.accounts);
    if (from === to) return;
    for (const account of [from, to])
      if (!touched.has(account)) touched.set(account, [this.#amounts[account]!, this.#isOpen[account]!]);
    const closes = this.#random.below(CLOSED_SHARE) === 0;
    const amount = closes ? this.#amounts[from]! : this.#random.below(AMOUNT_AT_FIRST);
    this.#amounts[from]! -= amount;
    this.#amounts[to]! += amount;
    if (closes) this.#close(from);
    else this.#put(from);
    this.#put(to);
  }

  #put(account: number): void {
    const amount = this.#amounts[account]!;
    const note = this.#note.subarray(0, this.#random.below(NOTE_BYTES_MAX));
    this.#out.reset();
    ACCOUNT.encodeKey(account, this.#out);
    const keyBytes = this.#out.length;
    ACCOUNT.encode({ amount, seal: sealOf(account, amount), note }, this.#out);
    this.store.put(ACCOUNT.id, this.#out.buffer, 0, keyBytes, keyBytes, this.#out.length - keyBytes, 0);
    this.#isOpen[account] = 1;
  }

  #close(account: number): void {
    if (this.#isOpen[account] === 0) return;
    this.#out.reset();
    ACCOUNT.encodeKey(account, this.#out);
    this.store.delete(ACCOUNT.id, this.#out.buffer, 0, this.#out.length, 0, 0);
    this.#isOpen[account] = 0;
  }

  #clean(): void {
    for (let slices = 0; slices < SLICES_MAX && this.store.clean(1); slices++) this.#release();
  }

  #release(): void {
    for (const segment of this.#retired.splice(0)) this.store.release(segment);
  }
}

const AMOUNT_AT_FIRST = 1000;
const BATCH_ACCOUNTS = 100;
const TRANSFERS_MAX = 8;
/** One transfer in so many closes the account it comes from. */
const CLOSED_SHARE = 8;
const NOTE_BYTES_MAX = 600;
const CELL_BYTES = 4096;
const SLICES_MAX = 8;
