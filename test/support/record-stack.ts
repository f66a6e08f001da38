import { setTimeout as delay } from 'node:timers/promises';
import { afterEach } from '@jest/globals';
import { z } from 'zod';
import { defineStore, record } from '../../adapters/record-store/index.js';
import type { RecordPipeline } from '../../src/record-pipeline/record-pipeline.js';
import { defineRecordPipeline, step } from '../../src/record-pipeline/record-pipeline.js';
import { createTestEnvironment, type TestEnvironment } from '../../testing/test-environment.js';
import { sharedServerAddress } from './temporal.js';

/** Puts record pipelines to work for each test, and stops their workers after it. */
export function useRecordStacks(): (
  ...recordPipelines: readonly RecordPipeline[]
) => Promise<TestEnvironment> {
  const running: TestEnvironment[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((env) => env.stop()));
  });
  return async (...recordPipelines) => {
    const env = await createTestEnvironment({
      recordPipelines,
      env: { TEMPORAL_ADDRESS: sharedServerAddress() },
    });
    running.push(env);
    return env;
  };
}

/** A store of users in a folder, with these names. */
export function usersIn(dir: string, names: readonly string[]) {
  const store = defineStore({
    dir,
    records: {
      user: record({
        table: 'users',
        columns: {
          name: z.string(),
          age: z.number().int().default(0),
          email: z.string().nullable().default(null),
          greeted: z.boolean().default(false),
          born: z.date().nullable().default(null),
          account: z.bigint().default(0n),
          tags: z.array(z.string()).default([]),
        },
      }),
      note: record({ table: 'notes', columns: { text: z.string() } }),
    },
  });
  for (const name of names) store.user.create({ name });
  return store;
}

/** What a gate does with the bodies that come to it. */
export interface Gate {
  isOpen: boolean;
  /** Names of users whose bodies fail. */
  readonly failing: Set<string>;
}

/** Greets users, when the gate is open. */
export function greeting(
  store: ReturnType<typeof usersIn>,
  gate: Gate = { isOpen: true, failing: new Set() },
  name = 'greeting',
): RecordPipeline {
  return defineRecordPipeline(store, {
    name,
    description: 'Greets users.',
    onError: 'continue',
    steps: [
      step({
        label: 'greet',
        records: (s) => s.user.where({ greeted: false }),
        each: async ({ record: user, assert, signal }) => {
          while (!gate.isOpen) await delay(20, undefined, { signal });
          assert(!gate.failing.has(user.name), `${user.name} has no address`);
          user.update({ greeted: true });
        },
      }),
    ],
  });
}
