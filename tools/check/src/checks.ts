import { badInput } from './bad-input/bad-input.check.ts';
import type { Check } from './check.ts';
import { faults } from './faults/faults.check.ts';
import { graph } from './graph/graph.check.ts';
import { metrics } from './metrics/metrics.check.ts';
import { powerLoss } from './power-loss/power-loss.check.ts';
import { retail } from './retail/retail.check.ts';
import { search } from './search/search.check.ts';
import { soak } from './soak/soak.check.ts';
import { storeFull } from './store-full/store-full.check.ts';
import { storeSoak } from './store-soak/store-soak.check.ts';
import { start } from './start/start.check.ts';
import { storeDamage } from './store-damage/store-damage.check.ts';
import { storeModel } from './store-model/store-model.check.ts';
import { storeThreads } from './store-threads/store-threads.check.ts';

/** Every check by its name on the command line. */
export const CHECKS: Readonly<Record<string, Check>> = {
  retail,
  graph,
  search,
  faults,
  'power-loss': powerLoss,
  'bad-input': badInput,
  metrics,
  start,
  soak,
  'store-model': storeModel,
  'store-damage': storeDamage,
  'store-threads': storeThreads,
  'store-full': storeFull,
  'store-soak': storeSoak,
};
