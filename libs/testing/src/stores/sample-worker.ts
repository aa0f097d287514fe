/** A thread that looks at some cells of every snapshot of an overwritten store that it is sent. */
import { parentPort } from 'node:worker_threads';
import { SchemaTable } from '@niobe/cells';
import { isNiobeError, messageOf, systemClock, systemRandom } from '@niobe/kernel';
import { SnapshotReader, type SharedSnapshot } from '@niobe/store';
import { checkOverwritten } from './overwritten-store.ts';

/** What is to be looked into: a snapshot, and how many writes it may show to how many cells. */
export interface SampleTask {
  readonly shared: SharedSnapshot;
  readonly written: number;
  readonly cells: number;
}

/** What a thread found in a snapshot. */
export interface SampleFinding {
  /** Cells that were looked at while the snapshot was open. */
  readonly cells: number;
  /** True where it ended meanwhile. */
  readonly isExpired: boolean;
  /** What is wrong with one of them, or with reading; '' for nothing. */
  readonly wrong: string;
}

/** A thread looks into a snapshot for so long, until what was freed too early would have been written anew. */
const LOOK_MS = 500;
/** Bytes of cells that are looked at together, from a random one on. */
const SAMPLE_BYTES: number = 256 * 1024;
/** A thread rests between samples: three that never do would measure how two cores are shared, not how the store stalls. */
const REST_MS = 2;
const REST = new Int32Array(new SharedArrayBuffer(4));

const random = systemRandom();
const schemas = new SchemaTable();

parentPort!.on('message', (task: SampleTask) => parentPort!.postMessage(look(task)));

function look(task: SampleTask): SampleFinding {
  const endMs = systemClock.monotonicMs() + LOOK_MS;
  let cells = 0;
  try {
    const reader = SnapshotReader.open(task.shared, schemas);
    while (systemClock.monotonicMs() < endMs) {
      cells += sample(reader, task);
      Atomics.wait(REST, 0, 0, REST_MS);
    }
    return { cells, isExpired: false, wrong: '' };
  } catch (error) {
    const isExpired = isNiobeError(error, 'SNAPSHOT_EXPIRED');
    return { cells, isExpired, wrong: isExpired ? '' : messageOf(error) };
  }
}

/** Cells that were looked at. Throws where one is wrong, or the snapshot has ended. */
function sample(reader: SnapshotReader, { shared, written, cells }: SampleTask): number {
  let count = 0;
  let wrong = '';
  reader.scan(shared.schemas[0]!.id, null, random.below(cells), SAMPLE_BYTES, (slot) => {
    count += 1;
    wrong ||= checkOverwritten(reader, slot, written);
  });
  if (wrong !== '') throw new Error(wrong);
  return count;
}
