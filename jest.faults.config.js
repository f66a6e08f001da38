import base from './jest.config.js';

/** Slow suites that kill processes and wait for time-outs: `npm run test:faults`. */
/** @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['<rootDir>/test/faults/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Workers with the threads that they have in production.
  setupFiles: [],
  testTimeout: 600_000,
  maxWorkers: 1,
};
