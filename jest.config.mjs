import { base } from './jest.base.mjs';

// Unit tests, and simulations with few seeds: no network, no broker.
export default {
  ...base,
  displayName: 'unit',
  // No test fails for being slow: this is for one that hangs.
  testTimeout: 60_000,
  testMatch: ['**/*.test.{ts,mjs}', '**/*.sim.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '\\.integration\\.test\\.(ts|mjs)$'],
};
