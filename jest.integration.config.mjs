import { base } from './jest.base.mjs';

// Tests against real brokers and real processes. One worker: each test file starts its own brokers, and
// two Kafka at once on a small machine only wait for each other.
export default {
  ...base,
  displayName: 'integration',
  testMatch: ['**/*.integration.test.{ts,mjs}'],
  testTimeout: 120_000,
  maxWorkers: 1,
};
