import { ByteReader, NiobeError, setU53, type ByteWriter } from '@niobe/kernel';
import { PARTS_MAX, SHARDS_MAX } from '../limits.ts';
import { readHeader, TraverseKind, writeHeader } from './header.ts';

/**
 * FRONTIER: what one shard found for another in one step, in one or more parts. (task, sender, step, part) identifies a part; the
 * receiver takes it once and acknowledges it each time.
 *
 *     request   header, u16 sender, u32 step, u32 part, u8 is last, u53 candidates, u53 settled, u53 vertices, u53 bytes, section ...
 *     reply     header
 *
 * Part numbers begin with 0; the last is marked, and only its totals count. Sections: see slot-sections.ts.
 */

/** What a shard tells all others of itself at the end of its expansion of a step. */
export interface StepTotals {
  /** Vertices that were never seen before by this shard, for itself and for others: where all shards have none, the hop is over. */
  readonly candidates: number;
  /** Vertices that the step before this one added to the shard's own. */
  readonly settled: number;
  /** Vertices the shard has in all. */
  readonly vertices: number;
  /** Bytes of state it holds and of messages it sent. */
  readonly bytes: number;
}

/** A part that arrived; `sections` is at its first section. */
export interface FrontierPart {
  readonly task: number;
  readonly sender: number;
  readonly step: number;
  readonly part: number;
  readonly isLast: boolean;
  readonly totals: StepTotals;
  readonly sections: ByteReader;
}

/** Where `is last` stands. */
const LAST_AT = 20;
const TOTALS_AT = 21;

/** Begins a part in `out`, which loses what it had; sections follow, then {@link endPart}. */
export function beginPart(out: ByteWriter, task: number, sender: number, step: number, part: number): void {
  out.reset();
  writeHeader(out, TraverseKind.FRONTIER, task);
  out.u16(sender);
  out.u32(step);
  out.u32(part);
  out.u8(0);
  for (let i = 0; i < 4; i++) out.u53(0);
}

/** The bytes of a part; `totals` where it is the last. */
export function endPart(out: ByteWriter, totals: StepTotals | null): Uint8Array {
  if (totals !== null) {
    out.buffer[LAST_AT] = 1;
    const { candidates, settled, vertices, bytes } = totals;
    for (const [i, total] of [candidates, settled, vertices, bytes].entries())
      setU53(out.view, TOTALS_AT + i * 8, total);
  }
  return out.finish();
}

/** Reads the head of a part; its sections are checked as they are read. Throws `MALFORMED`. */
export function readPart(frame: Uint8Array): FrontierPart {
  const sections = new ByteReader(frame);
  const { task } = readHeader(sections);
  const sender = sections.u16();
  const step = sections.u32();
  const part = sections.u32();
  if (sender >= SHARDS_MAX || part >= PARTS_MAX)
    throw new NiobeError('MALFORMED', `part ${part} of sender ${sender} is out of range`);
  const isLast = sections.u8() === 1;
  const totals = {
    candidates: sections.u53(),
    settled: sections.u53(),
    vertices: sections.u53(),
    bytes: sections.u53(),
  };
  return { task, sender, step, part, isLast, totals, sections };
}
