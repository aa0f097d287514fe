import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LaneCursors } from './lane-cursors.ts';

const PARTITIONS = 3;

/** What the grid partitions answer to one run of ten offsets: taken, nothing to send, or a cursor that is not where it was left. */
const answer = fc.oneof(
  fc.constant('taken' as const),
  fc.constant('nothing' as const),
  fc.integer({ min: 0, max: 25 }).map((ahead) => ({ ahead })),
);
const run = fc.tuple(answer, answer, answer);

describe('LaneCursors', () => {
  it('never lets a grid partition miss an offset or have one twice, wherever others have moved its cursor', () => {
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12, size: 'max' }), (runs) => {
        const cursors = new LaneCursors(new Float64Array(PARTITIONS));
        // Offsets that each grid partition has, by its own account: below `truth` all, above none.
        const truth = new Float64Array(PARTITIONS);
        let position = 0;
        for (const answers of runs) {
          const to = position + 10;
          answers.forEach((said, partition) => {
            if (said === 'nothing') return;
            if (said !== 'taken')
              truth[partition] = Math.max(truth[partition]!, cursors.applied[partition]!) + said.ahead;
            if (truth[partition] !== cursors.applied[partition] && said !== 'taken') {
              cursors.correct(partition, truth[partition]!, to);
            } else if (truth[partition]! <= cursors.applied[partition]! && to >= cursors.applied[partition]!) {
              // Sent from its cursor: everything that was folded lies at or above `done`, which must not be below what it has.
              expect(cursors.done[partition]!).toBeGreaterThanOrEqual(truth[partition]!);
              cursors.accept(partition, to);
              truth[partition] = to;
            }
          });
          position = cursors.finish(to);
          for (let partition = 0; partition < PARTITIONS; partition++) {
            expect(cursors.done[partition]!).toBeGreaterThanOrEqual(cursors.applied[partition]!);
            expect(position).toBeLessThanOrEqual(Math.max(to, cursors.done[partition]!));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('goes back to where a grid partition has less, and only that one is folded again', () => {
    const cursors = new LaneCursors(Float64Array.of(0, 0, 0));
    cursors.accept(0, 100);
    cursors.correct(1, 40, 100);
    expect(cursors.finish(100)).toBe(40);
    expect([...cursors.done]).toEqual([100, 40, 100]);
    expect([...cursors.applied]).toEqual([100, 40, 0]);
  });

  it('goes on from where another aggregator has brought a cursor beyond the run', () => {
    const cursors = new LaneCursors(Float64Array.of(0, 0, 0));
    cursors.correct(1, 150, 100);
    expect(cursors.finish(100)).toBe(100);
    expect([...cursors.done]).toEqual([100, 150, 100]);
  });

  it('leaves a damaged grid partition behind and reads again what it missed', () => {
    const cursors = new LaneCursors(Float64Array.of(20, 30, 40));
    cursors.leave(0);
    expect([cursors.lowest, cursors.leftBehind]).toEqual([30, 1]);
    expect(cursors.finish(100)).toBe(100);
    cursors.rejoin(0);
    expect(cursors.finish(100)).toBe(20);
    expect([...cursors.done]).toEqual([20, 100, 100]);
  });
});
