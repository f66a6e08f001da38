import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/test/support/test-environment.mjs',
  roots: ['<rootDir>/test'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/faults/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^millrace$': '<rootDir>/src/index.ts',
    '^millrace/workflow$': '<rootDir>/workflows/child-pipeline.ts',
    '^millrace/(worker|testing)$': '<rootDir>/$1/index.ts',
    '^millrace/connectors$': '<rootDir>/adapters/connector/index.ts',
    '^millrace/records$': '<rootDir>/adapters/record-store/index.ts',
    '^millrace/script$': '<rootDir>/script/index.ts',
    '^millrace/prometheus$': '<rootDir>/adapters/telemetry/prometheus.ts',
    '^millrace/opentelemetry$': '<rootDir>/adapters/telemetry/open-telemetry.ts',
    '^millrace/generator$': '<rootDir>/generator/index.ts',
    // Our own relative imports end in .js and mean a .ts file; those of packages mean what they say.
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  reporters: ['default', '<rootDir>/test/support/summary-reporter.js'],
  setupFiles: ['<rootDir>/test/support/workflows-in-test-thread.mjs'],
  testSequencer: '<rootDir>/test/support/slow-first-sequencer.mjs',
  // For what hangs: nothing takes half as long, but on a machine that has other things to do as well.
  testTimeout: 60_000,
  // Some wait for seconds of a clock, and need a core for what they wait for.
  maxWorkers: Math.min(4, Math.max(2, availableParallelism() - 1)),
  // Node keeps the modules of each test file; near the limit of its heap it would do little else than look for garbage.
  workerIdleMemoryLimit: '1GB',
};
