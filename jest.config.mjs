import { base } from './jest.base.mjs';

// Unit tests, and simulations with few seeds: no network, no broker.
export default {
  ...base,
  displayName: 'unit',
  testMatch: ['**/*.test.{ts,mjs}', '**/*.sim.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '\\.integration\\.test\\.(ts|mjs)$'],
};
