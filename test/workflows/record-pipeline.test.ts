import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { coreOf } from '../../adapters/record-store/define-store.js';
import { defineStore, record } from '../../adapters/record-store/index.js';
import { RunLog } from '../../adapters/record-store/run/run-log.js';
import {
  async,
  defineRecordPipeline,
  step,
  type RecordPipeline,
} from '../../src/record-pipeline/record-pipeline.js';
import { createTestEnvironment, type TestEnvironment } from '../../testing/test-environment.js';
import { sharedServerAddress } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

describe('a run of a record pipeline', () => {
  const folder = useTemporaryDirectory();
  const environments: TestEnvironment[] = [];
  afterEach(async () => {
    await Promise.all(environments.splice(0).map((env) => env.stop()));
  });

  const start = async (...recordPipelines: readonly RecordPipeline[]): Promise<TestEnvironment> => {
    const env = await createTestEnvironment({
      recordPipelines,
      env: { TEMPORAL_ADDRESS: sharedServerAddress() },
    });
    environments.push(env);
    return env;
  };

  function usersIn(dir: string, names: readonly string[]) {
    const store = defineStore({
      dir,
      records: {
        user: record({
          table: 'users',
          columns: { name: z.string(), greeted: z.boolean().default(false) },
        }),
      },
    });
    for (const name of names) store.user.create({ name });
    return store;
  }

  it('drains the records of its store, and keeps versions of it', async () => {
    const store = usersIn(folder.path, ['Ann', 'Bea', 'Cid']);
    const { engine } = await start(
      defineRecordPipeline(store, {
        name: 'greeting',
        processor: async({ concurrency: 2 }),
        steps: [
          step({
            label: 'greet',
            records: (s) => s.user.where({ greeted: false }),
            each: async ({ record: user, shell, run }) => {
              expect(run).toMatchObject({ kind: 'record_pipeline', name: 'greeting' });
              const said = await shell.runOrThrow(`echo hello ${user.name}`);
              user.update({ name: said, greeted: true });
            },
          }),
        ],
      }),
    );
    const run = await engine.recordPipelines.run('greeting');
    expect(await run.handle.result()).toEqual({ run: run.id, completed: 3, failed: 0 });
    expect(store.user.pluck('name')).toEqual(['hello Ann', 'hello Bea', 'hello Cid']);
    expect(store.versions.map(({ info }) => [info.reason, info.step, info.run])).toEqual([
      ['run_start', undefined, run.id],
      ['step', 'greet', run.id],
      ['run_end', undefined, run.id],
    ]);
    expect(store.versions[0]?.user.where({ greeted: true }).count()).toBe(0);
    expect(new RunLog(coreOf(store).live.db).list(10)).toMatchObject([
      { id: run.id, pipeline: 'greeting', status: 'success', completed: 3, failed: 0 },
    ]);
    store.close();
  });

  it('fails with the record, its step and why, and the next run goes on from there', async () => {
    const store = usersIn(folder.path, ['Ann', 'Bea', 'Cid']);
    let isBroken = true;
    const { engine } = await start(
      defineRecordPipeline(store, {
        name: 'greeting',
        steps: [
          step({
            label: 'greet',
            records: (s) => s.user.where({ greeted: false }),
            each: ({ record: user, assert }) => {
              assert(!isBroken || user.name !== 'Bea', 'Bea has no address');
              user.update({ greeted: true });
            },
          }),
        ],
      }),
    );
    const error: unknown = await (
      await engine.recordPipelines.run('greeting')
    ).handle
      .result()
      .catch((failed: unknown) => failed);
    const { cause } = error as WorkflowFailedError;
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect(cause).toMatchObject({
      type: 'RecordsFailed',
      message: 'user 2 failed in step "greet": AssertionFailure: Bea has no address',
    });
    expect(store.versions.at(-1)?.info.reason).toBe('failure');
    isBroken = false;
    const second = await engine.recordPipelines.run('greeting');
    expect(await second.handle.result()).toMatchObject({ completed: 2, failed: 0 });
    store.close();
  });

  it('begins with what its pipeline prepares, and ends there when that fails', async () => {
    const store = usersIn(folder.path, []);
    let names = ['Ann', 'Bea'];
    const { engine } = await start(
      defineRecordPipeline(store, {
        name: 'greeting',
        prepare: async ({ store: s, run, assert }) => {
          expect(run.name).toBe('greeting');
          for (const name of names) if (!s.user.where({ name }).exists()) s.user.create({ name });
          await delay(1);
          assert(names.length < 4, 'too many names');
        },
        steps: [
          step({
            label: 'greet',
            records: (s) => s.user.where({ greeted: false }),
            each: ({ record: user }) => {
              user.update({ greeted: true });
            },
          }),
        ],
      }),
    );
    const completed = async () =>
      (await (await engine.recordPipelines.run('greeting')).handle.result()).completed;
    expect(await completed()).toBe(2);
    names = ['Ann', 'Bea', 'Cid'];
    expect(await completed()).toBe(1);
    names = ['Ann', 'Bea', 'Cid', 'Dan'];
    await expect(completed()).rejects.toMatchObject({
      cause: { type: 'AssertionFailure', message: 'too many names' },
    });
    expect(store.user.pluck('name')).toEqual(['Ann', 'Bea', 'Cid']);
    expect(
      coreOf(store)
        .runs.list(10)
        .map(({ status }) => status),
    ).toEqual(['failed', 'success', 'success']);
    store.close();
  });

  it('is refused while another one works on the store, or waits for it', async () => {
    const store = usersIn(folder.path, ['Ann']);
    let isOpen = false;
    const { engine } = await start(
      defineRecordPipeline(store, {
        name: 'greeting',
        steps: [
          step({
            label: 'greet',
            records: (s) => s.user.where({ greeted: false }),
            each: async ({ record: user }) => {
              while (!isOpen) await delay(20);
              user.update({ greeted: true });
            },
          }),
        ],
      }),
    );
    const first = await engine.recordPipelines.run('greeting');
    await until(async () => new RunLog(coreOf(store).live.db).active());
    const refused = await engine.recordPipelines.run('greeting');
    await expect(refused.handle.result()).rejects.toMatchObject({
      cause: {
        type: 'StoreBusy',
        message: expect.stringContaining(`the run ${first.id} has been`),
      },
    });
    const waiting = await engine.recordPipelines.run('greeting', { queue: true });
    isOpen = true;
    expect(await first.handle.result()).toMatchObject({ completed: 1 });
    expect(await waiting.handle.result()).toMatchObject({ completed: 0 });
    store.close();
  });

  it('ends what it does when it is cancelled, and keeps what was written', async () => {
    const store = usersIn(folder.path, ['Ann', 'Bea']);
    const { engine } = await start(
      defineRecordPipeline(store, {
        name: 'greeting',
        steps: [
          step({
            label: 'greet',
            records: (s) => s.user.where({ greeted: false }),
            each: async ({ record: user, signal }) => {
              if (user.name === 'Bea') await delay(60_000, undefined, { signal });
              user.update({ greeted: true });
            },
          }),
        ],
      }),
    );
    const run = await engine.recordPipelines.run('greeting');
    await until(async () => (store.user.where({ greeted: true }).exists() ? true : undefined));
    await run.handle.cancel();
    await expect(run.handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect(store.user.where({ greeted: true }).pluck('name')).toEqual(['Ann']);
    expect(new RunLog(coreOf(store).live.db).find(run.id)).toMatchObject({
      status: 'cancelled',
      completed: 1,
      failed: 0,
    });
    store.close();
  });

  it('gives the store free when it was terminated from outside', async () => {
    const store = usersIn(folder.path, ['Ann']);
    let isOpen = false;
    const { engine } = await start(
      defineRecordPipeline(store, {
        name: 'greeting',
        steps: [
          step({
            label: 'greet',
            records: (s) => s.user.where({ greeted: false }),
            each: async ({ record: user, signal }) => {
              if (!isOpen) await delay(60_000, undefined, { signal });
              user.update({ greeted: true });
            },
          }),
        ],
      }),
    );
    const first = await engine.recordPipelines.run('greeting');
    await until(async () => new RunLog(coreOf(store).live.db).active());
    await first.handle.terminate('somebody pulled the plug');
    isOpen = true;
    const second = await engine.recordPipelines.run('greeting');
    expect(await second.handle.result()).toMatchObject({ completed: 1 });
    expect(new RunLog(coreOf(store).live.db).find(first.id)?.status).toBe('interrupted');
    store.close();
  });
});
