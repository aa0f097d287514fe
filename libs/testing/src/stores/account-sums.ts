import { isNiobeError, messageOf } from '@niobe/kernel';
import { SCAN_END, SnapshotReader, type SharedSnapshot } from '@niobe/store';
import type { SchemaTable } from '@niobe/cells';
import { ACCOUNT, sealOf } from './account-book.ts';

/** What a thread found in a snapshot of an account book. */
export type SumFinding =
  | { readonly found: 'sum'; readonly total: number; readonly accounts: number; readonly wrong: readonly string[] }
  | { readonly found: 'expired' }
  | { readonly found: 'failure'; readonly message: string };

/** Sums over all accounts, twice. @param schemas the schemas this thread knows */
export function sumAccounts(shared: SharedSnapshot, schemas: SchemaTable): SumFinding {
  try {
    const reader = SnapshotReader.open(shared, schemas);
    const first = sumOnce(reader);
    const second = sumOnce(reader);
    if (first.total !== second.total) first.wrong.push(`a second sum gave ${second.total}, the first ${first.total}`);
    return { found: 'sum', ...first };
  } catch (error) {
    if (isNiobeError(error, 'SNAPSHOT_EXPIRED')) return { found: 'expired' };
    return { found: 'failure', message: messageOf(error) };
  }
}

function sumOnce(reader: SnapshotReader): { total: number; accounts: number; wrong: string[] } {
  const sum = { total: 0, accounts: 0, wrong: [] as string[] };
  for (let cursor = 0; cursor !== SCAN_END;)
    cursor = reader.scan(ACCOUNT.id, null, cursor, PART_BYTES, (slot) => addAccount(reader, slot, sum));
  return sum;
}

function addAccount(
  reader: SnapshotReader,
  slot: number,
  sum: { total: number; accounts: number; wrong: string[] },
): void {
  const { bytes } = reader;
  const account = Number(ACCOUNT.decodeKey(bytes, reader.keyStart(slot), reader.keyBytes(slot)));
  const record = ACCOUNT.decode(bytes, reader.bodyStart(slot), reader.bodyBytes(slot));
  const amount = Number(record['amount']);
  sum.total += amount;
  sum.accounts += 1;
  if (record['seal'] !== sealOf(account, amount) && sum.wrong.length < WRONG_MAX)
    sum.wrong.push(`account ${account} in slot ${slot} has ${amount} under the seal of another`);
}

/** A scan is made in parts, so that a snapshot that has ended is noticed soon. */
const PART_BYTES: number = 256 * 1024;
/** More are not told. */
const WRONG_MAX = 5;
