import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { createEngine, DefinitionError } from 'millrace';
import { createWorker, UnresolvedReferences } from 'millrace/worker';
import pino from 'pino';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { useWorkflowThreads } from '../support/workflow-threads.js';
import { sweepSchedule } from '../../worker/minute-schedule.js';

useWorkflowThreads();
const temporal = useTemporal();
const dir = useTemporaryDirectory();
const log = pino({ level: 'silent' });

const FILES = {
  'operations/count-words.ts': COUNT_WORDS,
  'pipelines/word-report.yml': WORD_REPORT,
};

/** An operation that goes on until it is told to stop, and says so. */
const WAIT = `import { defineOperation } from 'millrace';
import { z } from 'zod';

export const wait = defineOperation({
  name: 'wait',
  sets: z.object({ attempt: z.number() }),
  run: async ({ attempt, signal, services }) => {
    services.began();
    if (services.patient) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return { attempt };
  },
});
`;

function env(): Record<string, string> {
  return { TEMPORAL_ADDRESS: temporal.address };
}

describe('createWorker', () => {
  it('runs a project with the given options, and everything ends with it', async () => {
    const closed: unknown[] = [];
    await writeProject(dir.path, FILES);
    const asyncQueue = uniqueTaskQueue();
    const worker = await createWorker({
      dir: dir.path,
      env: env(),
      log,
      config: {
        asyncQueue,
        services: { db: 'mine' },
        disposeServices: (services) => void closed.push(services),
        worker: { identity: 'somebody', maxCachedWorkflows: 3 },
      },
    });
    expect(worker.taskQueue).toBe(asyncQueue);
    expect(worker.temporal).toMatchObject({ address: temporal.address, namespace: 'default' });
    expect(worker.temporal.worker.options).toMatchObject({
      identity: 'somebody',
      maxCachedWorkflows: 3,
      shutdownGraceTimeMs: 30_000,
    });
    expect(worker.temporal.worker.getState()).toBe('INITIALIZED');
    const running = worker.run();
    const { result } = await worker.engine.execute('word-report', { text: 'one two' });
    expect(result).toMatchObject({ words: 2 });
    const sweep = temporal.client.schedule.getHandle(sweepSchedule(asyncQueue).scheduleId);
    await sweep.describe();
    await sweep.delete();
    expect(closed).toEqual([]);
    await Promise.all([worker.stop(), worker.stop()]);
    await running;
    expect(closed).toEqual([{ db: 'mine' }]);
    expect(worker.temporal.worker.getState()).toBe('STOPPED');
    await expect(worker.engine.execute('word-report', { text: 'a' })).rejects.toThrow();
  });

  it('starts runs on its own connection, so that they begin without a round trip', async () => {
    await writeProject(dir.path, FILES);
    const config = { asyncQueue: uniqueTaskQueue() };
    const worker = await createWorker({ dir: dir.path, env: env(), log, config });
    void worker.run();
    const { run } = await worker.engine.execute('word-report', { text: 'one' });
    const { events } = await temporal.client.workflow.getHandle(run.id).fetchHistory();
    expect(events?.[0]?.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted).toBe(true);
    expect(worker.engine.config?.asyncQueue).toBe(config.asyncQueue);
    await worker.stop();
  });

  it('hands what it has in progress to another worker when it is stopped', async () => {
    await writeProject(dir.path, {
      'operations/wait.ts': WAIT,
      'pipelines/wait.yml': 'name: wait\nstages: [{ name: only, operations: [wait] }]\n',
    });
    const asyncQueue = uniqueTaskQueue();
    let began: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => (began = resolve));
    const create = (patient: boolean): ReturnType<typeof createWorker> =>
      createWorker({
        dir: dir.path,
        env: env(),
        log,
        config: {
          asyncQueue,
          services: { patient, began: () => began() },
          worker: { shutdownGraceTime: 1 },
        },
      });
    const [first, second] = [await create(true), await create(false)];
    void first.run();
    const engine = await createEngine({ dir: dir.path, env: env(), config: { asyncQueue } });
    const run = await engine.start('wait', {});
    await inside;
    void second.run();
    await first.stop();
    expect(await run.result()).toEqual({ attempt: 1 });
    await second.stop();
    await engine.close();
  });

  it('can be stopped without having run', async () => {
    const closed: unknown[] = [];
    await writeProject(dir.path, FILES);
    const config = { asyncQueue: uniqueTaskQueue(), disposeServices: () => void closed.push(1) };
    const worker = await createWorker({ dir: dir.path, env: env(), log, config });
    await worker.stop();
    expect(closed).toEqual([1]);
  });

  it('refuses a project that is wrong, and one whose secrets are missing', async () => {
    await writeProject(dir.path, {
      'pipelines/wrong.yml': 'name: wrong\nstages: [{ name: a, operations: [nothing] }]\n',
    });
    await expect(createWorker({ dir: dir.path, env: env(), log })).rejects.toBeInstanceOf(
      DefinitionError,
    );
    await writeProject(dir.path, {
      'pipelines/wrong.yml': 'name: right\nstages: [{ name: a, operations: [log] }]\n',
    });
    const config = { webhooks: { secret: 'secret://nowhere' } };
    await expect(createWorker({ dir: dir.path, env: env(), log, config })).rejects.toBeInstanceOf(
      UnresolvedReferences,
    );
  });

  it("asks the project about its patches, and not about Millrace's own", async () => {
    await writeProject(dir.path, {
      'operations/wait.ts': WAIT,
      'pipelines/wait.yml':
        'name: wait\ntimeout: 500ms\nstages: [{ name: only, operations: [wait] }]\n',
    });
    const asked: string[] = [];
    const worker = await createWorker({
      dir: dir.path,
      env: env(),
      log,
      config: {
        asyncQueue: uniqueTaskQueue(),
        services: { patient: true, began: () => undefined },
        worker: {
          patchActivationCallback: ({ patchId }) => {
            asked.push(patchId);
            return false;
          },
        },
      },
    });
    void worker.run();
    const run = await worker.engine.start('wait', {});
    await expect(run.result()).rejects.toMatchObject({ status: 'timed_out' });
    const { executions } = await until(async () => {
      const found = await worker.engine.list({
        status: 'timed_out',
        limit: 10,
        name: 'wait',
        kind: 'pipeline',
      });
      return found.executions.some(({ executionId }) => executionId === run.executionId)
        ? found
        : undefined;
    });
    expect(executions[0]).toMatchObject({ status: 'timed_out' });
    expect(asked).toEqual([]);
    await worker.stop();
  });

  it('takes interceptors for workflow code into its bundle', async () => {
    await writeProject(dir.path, FILES);
    const tracing = fileURLToPath(new URL('./fixtures/tracing.ts', import.meta.url));
    const worker = await createWorker({
      dir: dir.path,
      env: env(),
      log,
      config: {
        asyncQueue: uniqueTaskQueue(),
        worker: { interceptors: { workflowModules: [tracing] } },
      },
    });
    void worker.run();
    const { run } = await worker.engine.execute('word-report', { text: 'one' });
    const handle = worker.temporal.client.workflow.getHandle(run.id);
    expect(await handle.query('seen')).toBe(true);
    await worker.stop();
  });
});
