import { describe, expect, it } from '@jest/globals';
import type { CopyHolding } from '../backup/backup-store.ts';
import { planCopy, type CopyPast, type Step } from './copy-plan.ts';
import { PartitionLog } from './partition-log.ts';

const EPOCH = 3;
const FRESH: CopyPast = { wasComplete: false, damaged: new Set() };
const NOBODY = { appended: () => undefined, retired: () => undefined };

/** A log of two segments that were recovered and one that this attempt wrote. */
function newLog(): PartitionLog {
  const base = [
    { segment: 2, epoch: 2, bytes: 200 },
    { segment: 1, epoch: 1, bytes: 100 },
  ];
  const log = new PartitionLog(5, { epoch: EPOCH, owner: 'a@1' }, base, 20, NOBODY);
  log.attach({ segmentBytes: () => new Uint8Array(0), release: () => undefined });
  log.opened(3);
  log.appended(3, 0, 30, 25);
  return log;
}

function holding(completeEpoch: number, ...segments: [number, number, number, number?][]): CopyHolding {
  return {
    partition: 5,
    promised: { epoch: EPOCH, owner: 'a@1' },
    completeEpoch,
    segments: segments.map(([segment, epoch, heldBytes, committedBytes = heldBytes]) => ({
      segment,
      epoch,
      heldBytes,
      committedBytes,
    })),
  };
}

const append = (segment: number, from: number, to: number): Step => ({ kind: 'append', segment, from, to });
const complete = (completeEpoch: number): Step => ({ kind: 'complete', completeEpoch });

describe('planCopy', () => {
  it('completes an empty copy with the base before anything of this attempt', () => {
    const plan = planCopy(newLog(), holding(0), FRESH);
    expect(plan.steps).toEqual([append(1, 0, 100), append(2, 0, 200), complete(EPOCH)]);
    expect(plan).toMatchObject({ seq: 20, rest: [3] });
  });

  it('ships what a copy of an earlier epoch lacks', () => {
    const plan = planCopy(newLog(), holding(2, [1, 1, 100], [2, 2, 150]), FRESH);
    expect(plan.steps).toEqual([append(2, 150, 200), complete(EPOCH)]);
    expect(plan.heldBytes).toEqual(
      new Map([
        [1, 100],
        [2, 150],
      ]),
    );
  });

  it('takes dead ends away before it adds anything', () => {
    const plan = planCopy(newLog(), holding(2, [1, 1, 120], [2, 1, 50], [7, 2, 10]), FRESH);
    expect(plan.steps).toEqual([
      { kind: 'truncate', segment: 1, epoch: 1, length: 100 },
      { kind: 'free', segment: 2, epoch: 1 },
      { kind: 'free', segment: 7, epoch: 2 },
      append(2, 0, 200),
      complete(EPOCH),
    ]);
  });

  it('tells a copy that has all bytes that they are whole', () => {
    const plan = planCopy(newLog(), holding(2, [1, 1, 100, 80], [2, 2, 200]), FRESH);
    expect(plan.steps).toEqual([{ kind: 'truncate', segment: 1, epoch: 1, length: 100 }, complete(EPOCH)]);
  });

  it('overwrites what is damaged before the copy counts as complete', () => {
    const past = { wasComplete: false, damaged: new Set([2, 9]) };
    const plan = planCopy(newLog(), holding(2, [1, 1, 100], [2, 2, 150]), past);
    expect(plan.steps).toEqual([
      { kind: 'repair', segment: 2, from: 0, to: 150 },
      append(2, 150, 200),
      complete(EPOCH),
    ]);
  });

  it('goes on where a copy of this attempt stopped', () => {
    const plan = planCopy(newLog(), holding(EPOCH, [1, 1, 100], [2, 2, 200], [3, EPOCH, 10]), FRESH);
    expect(plan.steps).toEqual([append(3, 10, 30)]);
    expect(plan).toMatchObject({ seq: 25, rest: [] });
  });

  it.each([
    ['that was emptied in this attempt', holding(0), { ...FRESH, wasComplete: true }],
    ['that came back older than it was', holding(2, [1, 1, 100]), { ...FRESH, wasComplete: true }],
  ])('completes a copy %s with everything, and it counts as nothing until then', (_, held, past) => {
    const { steps, seq } = planCopy(newLog(), held, past);
    expect(steps[0]).toEqual(complete(0));
    expect(steps.slice(-2)).toEqual([append(3, 0, 30), complete(EPOCH)]);
    expect(seq).toBe(25);
  });

  it('completes a copy with everything once part of the base is gone', () => {
    const log = newLog();
    log.retired(1, 25);
    log.releaseRetired(25);
    const { steps } = planCopy(log, holding(2, [1, 1, 100]), FRESH);
    expect(steps).toEqual([
      complete(0),
      { kind: 'free', segment: 1, epoch: 1 },
      append(2, 0, 200),
      append(3, 0, 30),
      complete(EPOCH),
    ]);
  });
});
