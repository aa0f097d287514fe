import { describe, expect, it } from '@jest/globals';
import { SoakTrial } from '@niobe/testing';

const MIB = 1024 * 1024;

/** The short form of `npm run check -- store-soak`. */
describe('a store at 90 % that is overwritten while others read snapshots', () => {
  it('refuses no write and shows readers nothing but what was written before', async () => {
    const trial = new SoakTrial(32 * MIB);
    trial.fill();
    let found = trial.findings();
    // Until as much was moved as was written and snapshots were read: how long that takes is not judged.
    for (let seconds = 0; seconds < 40 && (found.cellsRead === 0 || found.writeCost < 2); seconds++) {
      await trial.run(1);
      found = trial.findings();
    }
    await trial.stop();
    expect(found).toMatchObject({ refused: 0, wrong: [] });
    expect(found.writeCost).toBeGreaterThan(2);
    expect(found.cellsRead).toBeGreaterThan(0);
  }, 60_000);
});
