import { describe, expect, it } from '@jest/globals';
import { defineOperation, definePipeline, defineStepHandler, defineTask } from 'millrace';
import { createTestEngine, LeftOver } from 'millrace/testing';
import { z } from 'zod';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { ENDLESS } from '../support/tasks.js';

const temporal = useTemporal();

const shared = (): Record<string, string> => ({ TEMPORAL_ADDRESS: temporal.address });

const greet = defineOperation({
  name: 'greet',
  reads: z.object({ name: z.string() }),
  sets: z.object({ greeting: z.string() }),
  run: ({ input }) => ({ greeting: `hello ${input.name}` }),
});

const greeting = definePipeline({
  name: 'greeting',
  input: z.object({ name: z.string() }),
  output: z.object({ greeting: z.string() }),
  stages: [{ name: 'greet', operations: [greet] }],
});

const approval = defineTask({
  name: 'approval',
  steps: [{ name: 'sign', type: 'approval' }],
});

const endless = defineTask({
  name: 'endless-task',
  steps: [{ name: 'endless', handler: ENDLESS }],
});

/** What stopping an engine fails with. */
async function leftBy(engine: { stop(): Promise<void> }): Promise<LeftOver> {
  const error: unknown = await engine.stop().catch((thrown: unknown) => thrown);
  if (error instanceof LeftOver) return error;
  throw new Error(`it left nothing: ${String(error)}`);
}

describe('createTestEngine', () => {
  it('gives an engine that is stopped with all that belongs to it', async () => {
    const engine = await createTestEngine({ pipelines: [greeting], env: shared() });
    const { result } = await engine.execute(greeting, { name: 'Ada' });
    const typed: string = result.greeting;
    expect(typed).toBe('hello Ada');
    expect(engine).toMatchObject({ address: temporal.address, namespace: 'default' });
    expect(engine.worker.temporal.worker.getState()).toBe('RUNNING');
    await Promise.all([engine.stop(), engine.stop()]);
    expect(engine.worker.temporal.worker.getState()).toBe('STOPPED');
  });

  it('lets real time pass where no other can', async () => {
    const engine = await createTestEngine({ pipelines: [greeting], env: shared() });
    const before = Date.now();
    await engine.sleep('50ms');
    expect(Date.now() - before).toBeGreaterThanOrEqual(49);
    await expect(engine.sleep(-1)).rejects.toMatchObject({ name: 'InvalidDuration' });
    await engine.stop();
  });

  it('names the runs that a test has left open, and terminates them', async () => {
    const engine = await createTestEngine({ tasks: [approval], env: shared() });
    const run = await engine.start('approval', {});
    const behind = await engine.temporal.client.workflow.start('approval', {
      workflowId: 'task/approval/behind-our-back',
      taskQueue: engine.taskQueue,
      args: [{ plan: planOf(engine), input: {} }],
    });
    await visible(engine.taskQueue, 2);
    const left = await leftBy(engine);
    expect(left.runs.map(({ id }) => id).sort()).toEqual([run.id, behind.workflowId].sort());
    expect(left.message).toContain(`${run.id} (running)`);
    expect(left.bodies).toEqual([]);
    const handle = temporal.client.workflow.getHandle(run.id);
    expect((await handle.describe()).status.name).toBe('TERMINATED');
  });

  it('finds nothing in runs that are over', async () => {
    const engine = await createTestEngine({
      pipelines: [greeting],
      tasks: [approval],
      env: shared(),
    });
    await (await engine.start(greeting, { name: 'Ada' })).result();
    const cancelled = await engine.start('approval', {});
    await cancelled.cancel();
    await expect(cancelled.result()).rejects.toMatchObject({ status: 'cancelled' });
    await engine.stop();
  });

  it('names code that goes on though it was cancelled', async () => {
    const engine = await createTestEngine({ tasks: [endless], env: shared() });
    const run = await engine.start('endless-task', {});
    await begun(run.events(), 'step_started');
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
    const left = await leftBy(engine);
    expect(left.runs).toEqual([]);
    expect(left.bodies).toEqual([{ kind: 'step handler', name: 'endless' }]);
    expect(left.message).toContain('step handler "endless"');
  });

  it('does not mind code that ends when it is told', async () => {
    const heeds = defineStepHandler({
      name: 'heeds',
      run: ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('told'));
          });
        }),
    });
    const task = defineTask({ name: 'heeding', steps: [{ name: 'heeds', handler: heeds }] });
    const engine = await createTestEngine({ tasks: [task], env: shared() });
    const run = await engine.start('heeding', {});
    await begun(run.events(), 'step_started');
    const left = await leftBy(engine);
    expect(left.runs).toEqual([{ id: run.id, status: 'running' }]);
    expect(left.bodies).toEqual([]);
  });

  it('leaves runs of a task queue alone that others may have, too', async () => {
    const engine = await createTestEngine({
      tasks: [approval],
      env: shared(),
      config: { asyncQueue: uniqueTaskQueue() },
    });
    const run = await engine.start('approval', {});
    await engine.stop();
    const handle = temporal.client.workflow.getHandle(run.id);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate();
  });

  it('says nothing where a test may leave things behind, and ends them all the same', async () => {
    const engine = await createTestEngine({
      tasks: [approval],
      env: shared(),
      leftOver: 'ignore',
    });
    const run = await engine.start('approval', {});
    await engine.stop();
    const handle = temporal.client.workflow.getHandle(run.id);
    expect((await handle.describe()).status.name).toBe('TERMINATED');
  });
});

/** The plan of a task, as a run of it is started with. */
function planOf(engine: { definition(name: string): unknown }): unknown {
  return (engine.definition('approval') as { readonly plan: unknown }).plan;
}

/** Waits until the server lists so many runs of a queue. */
async function visible(taskQueue: string, count: number): Promise<void> {
  for (;;) {
    let found = 0;
    const query = `TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
    for await (const _ of temporal.client.workflow.list({ query })) found += 1;
    if (found === count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function begun(
  events: AsyncIterable<{ readonly type: string }>,
  type: string,
): Promise<void> {
  for await (const event of events) if (event.type === type) return;
}
