import { describe, expect, it } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { activityContext } from '../../worker/activity-context.js';
import { defineWorkflow } from '../../src/definition/workflow.js';
import { defineOperation } from '../../src/pipeline/operation.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import { codeOf, useStacks, type StackDefinitions } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { useWebhookReceiver } from '../support/webhook-receiver.js';

const temporal = useTemporal();
const stack = useStacks(temporal);
const receiver = useWebhookReceiver();

const input = z.object({
  errand: z.string(),
  pipeline: z.string().optional(),
  input: z.record(z.string(), z.string()).optional(),
  count: z.number().optional(),
});
const errands = defineWorkflow({ name: 'errands', input, output: z.unknown() });
const latecomer = defineWorkflow({
  name: 'latecomer',
  input,
  output: z.unknown(),
  timeout: '1500ms',
});

const work = defineOperation({
  name: 'work',
  reads: z.object({ mode: z.string().default('go') }),
  sets: z.object({ done: z.string() }),
  run: async ({ input: { mode }, signal, run }) => {
    if (mode === 'fail') throw permanent('the card was declined', { card: 1 }, 'CardDeclined');
    if (mode === 'hang') {
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    }
    return { done: `${mode} by ${run.principal ?? 'nobody'}` };
  },
});
const only = [{ name: 'only', operations: [work] }];

const definitions: StackDefinitions = {
  operations: [work],
  pipelines: [
    definePipeline({ name: 'job', description: 'Does a job.', stages: only }),
    definePipeline({ name: 'short', timeout: '1s', stages: only }),
    definePipeline({
      name: 'nothing',
      input: z.object({}),
      stages: [{ name: 'only', operations: [] }],
    }),
  ],
  workflows: [errands, latecomer],
  workflowFiles: [fileURLToPath(new URL('./fixtures/errands.ts', import.meta.url))],
};

async function until<T>(look: () => Promise<T | undefined>, ms = 10_000): Promise<T> {
  for (const deadline = Date.now() + ms; ;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The execution id of the pipeline that a workflow waits for. */
async function childOf(workflowId: string): Promise<string> {
  const handle = temporal.client.workflow.getHandle(workflowId);
  return until(async () => {
    const { raw } = await handle.describe();
    const id = raw.pendingChildren?.[0]?.workflowId;
    return id ? id.slice(id.lastIndexOf('/') + 1) : undefined;
  });
}

describe('an activity of the project', () => {
  it.each(['describe', 'describe locally'])('has the common context: %s', async (errand) => {
    const { engine } = await stack({
      ...definitions,
      services: { db: 'the database' } as object,
      activities: {
        describeRun: async (greeting) => {
          await Promise.resolve();
          const { attempt, run, services, signal } = activityContext();
          const { activityType } = Context.current().info;
          return { greeting, attempt, run, services, activityType, aborted: signal.aborted };
        },
      },
    });

    const { run, result } = await engine.execute('errands', { errand });

    expect(result).toEqual({
      greeting: 'hello',
      attempt: 1,
      run: { id: run.id, name: 'errands', kind: 'workflow' },
      services: { db: 'the database' },
      activityType: 'describeRun',
      aborted: false,
    });
  });

  it('is not tried again after a permanent error, which is then the failure of the run', async () => {
    let calls = 0;
    const { engine } = await stack({
      ...definitions,
      activities: {
        refuse: () => {
          calls += 1;
          throw permanent('no such customer', { id: 7 }, 'NoCustomer');
        },
      },
    });

    await expect(engine.execute('errands', { errand: 'refuse' })).rejects.toMatchObject({
      status: 'failed',
      failure: { type: 'NoCustomer', message: 'no such customer', details: { id: 7 } },
    });
    expect(calls).toBe(1);
  });

  it('is tried again after any other error, as its retry policy says', async () => {
    const { engine } = await stack({
      ...definitions,
      activities: {
        failOnce: () => {
          const { attempt } = activityContext();
          if (attempt === 1) throw new TypeError('not yet');
          return attempt;
        },
      },
    });

    expect((await engine.execute('errands', { errand: 'fail once' })).result).toBe(2);
  });

  it('gets in its next attempt the checkpoint that it kept', async () => {
    const { engine } = await stack({
      ...definitions,
      activities: {
        checkpointed: () => {
          const { attempt, checkpoint, heartbeat } = activityContext();
          if (attempt > 1) return { attempt, checkpoint };
          heartbeat({ completed: 1 }, { page: 3 });
          throw new Error('lost the connection');
        },
      },
    });

    expect((await engine.execute('errands', { errand: 'checkpoint' })).result).toEqual({
      attempt: 2,
      checkpoint: { page: 3 },
    });
  });

  it('that a worker lacks is asked for until there is one that has it', async () => {
    const { engine, code } = await stack(definitions);
    const run = await engine.start('errands', { errand: 'nowhere' });
    const handle = temporal.client.workflow.getHandle(run.id);
    const pending = await until(async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.find(({ attempt }) => (attempt ?? 0) > 1);
    });
    expect(pending.lastFailure).toMatchObject({
      message: expect.stringContaining('has no activity "nowhere"'),
      applicationFailureInfo: { type: 'ActivityNotRegistered', nonRetryable: false },
    });

    const deployed = codeOf({ ...definitions, activities: { nowhere: () => 'here' } });
    code.replace(deployed.registry, new Map());

    expect(await run.result()).toBe('here');
  });

  it('has no context where none runs', () => {
    expect(() => activityContext()).toThrow('where no activity of the project runs');
  });
});

describe('a pipeline as a child', () => {
  it('is a run like any other, started by who started the workflow', async () => {
    const { engine } = await stack(definitions);

    const { result } = await engine.execute(
      'errands',
      { errand: 'pipeline', pipeline: 'job', input: { extra: 'kept' } },
      { principal: 'ada' },
    );

    expect(result).toEqual({ extra: 'kept', done: 'go by ada' });
    const [listed] = await until(async () => {
      const { executions } = await engine.list({ kind: 'pipeline', name: 'job', limit: 100 });
      const described = await Promise.all(
        executions.map(({ executionId }) => engine.run('job', executionId).describe()),
      );
      const mine = described.filter(({ principal }) => principal === 'ada');
      return mine.length > 0 ? mine : undefined;
    });
    expect(listed).toMatchObject({
      id: expect.stringMatching(/^pipeline\/job\/[0-9a-f-]{36}$/),
      status: 'completed',
      result: { extra: 'kept', done: 'go by ada' },
      progress: { stages: [{ name: 'only', state: 'completed' }] },
    });
  });

  it('fails with its own type, which the workflow can catch', async () => {
    const { engine } = await stack(definitions);
    const order = { pipeline: 'job', input: { mode: 'fail' } };

    await expect(engine.execute('errands', { errand: 'pipeline', ...order })).rejects.toMatchObject(
      {
        status: 'failed',
        failure: { type: 'CardDeclined', message: 'the card was declined', details: { card: 1 } },
      },
    );
    const caught = await engine.execute('errands', { errand: 'catch the pipeline', ...order });
    expect(caught.result).toEqual({
      type: 'CardDeclined',
      message: 'the card was declined',
      cause: 'ChildWorkflowFailure',
    });
  });

  it.each([
    {
      what: 'does not exist',
      order: { pipeline: 'jop' },
      failure: {
        type: 'PipelineNotFound',
        message: 'There is no pipeline "jop". Did you mean "job"?',
      },
    },
    {
      what: 'is a hand-written workflow',
      order: { pipeline: 'latecomer' },
      failure: {
        type: 'PipelineNotFound',
        message:
          '"latecomer" is no pipeline but a hand-written workflow. Run it with executeChild of @temporalio/workflow.',
      },
    },
    {
      what: 'gets a wrong input',
      order: { pipeline: 'strict', input: { pages: 'many' } },
      failure: {
        type: 'contract_violation',
        details: [{ path: 'pages', message: "Property 'pages' expected number, got string" }],
      },
    },
    {
      what: 'gets too large an input',
      order: { pipeline: 'job', input: { mode: 'x'.repeat(2_090_000) } },
      failure: { type: 'PayloadLimitExceeded' },
    },
  ])('that $what fails for good', async ({ order, failure }) => {
    const strict = definePipeline({
      name: 'strict',
      input: z.object({ pages: z.number() }),
      stages: [{ name: 'only', operations: [] }],
    });
    const { engine } = await stack({
      ...definitions,
      pipelines: [...(definitions.pipelines ?? []), strict],
    });

    await expect(engine.execute('errands', { errand: 'pipeline', ...order })).rejects.toMatchObject(
      {
        failure,
      },
    );
  });

  it('is cancelled with the workflow', async () => {
    const { engine } = await stack(definitions);
    const run = await engine.start('errands', {
      errand: 'pipeline',
      pipeline: 'job',
      input: { mode: 'hang' },
    });
    const child = await childOf(run.id);

    await run.cancel();

    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
    await expect(engine.run('job', child).result()).rejects.toMatchObject({ status: 'cancelled' });
  });

  it.each([
    { end: 'cancel', failure: { type: 'cancelled' } },
    { end: 'terminate', failure: { type: 'terminated' } },
  ] as const)('that others $end fails the workflow with that type', async ({ end, failure }) => {
    const { engine } = await stack(definitions);
    const run = await engine.start('errands', {
      errand: 'pipeline',
      pipeline: 'job',
      input: { mode: 'hang' },
    });
    const child = await childOf(run.id);

    await temporal.client.workflow.getHandle(`pipeline/job/${child}`)[end]();

    await expect(run.result()).rejects.toMatchObject({ status: 'failed', failure });
  });

  it('that the workflow leaves is cancelled, unless it is abandoned', async () => {
    const { engine } = await stack(definitions);
    const order = { pipeline: 'job', input: { mode: 'hang' } };
    const left = await engine.execute('errands', { errand: 'leave', ...order });
    const abandoned = await engine.execute('errands', { errand: 'abandon', ...order });

    const handle = (id: unknown) => temporal.client.workflow.getHandle(String(id));
    await expect(handle(left.result).result()).rejects.toMatchObject({
      cause: { name: 'CancelledFailure' },
    });
    expect((await handle(abandoned.result).describe()).status.name).toBe('RUNNING');
    await handle(abandoned.result).terminate();
  });

  it('may be one of many with large inputs, which no message to the server could hold together', async () => {
    const { engine } = await stack(definitions);

    const { result } = await engine.execute('errands', {
      errand: 'pipelines',
      pipeline: 'nothing',
      count: 8,
      input: { blob: 'x'.repeat(1024 * 1024) },
    });

    expect(result).toBe(8);
  }, 60_000);
});

describe('the timeout of a hand-written workflow', () => {
  it('ends it in time, and has its webhook delivered at once', async () => {
    const { engine } = await stack(definitions);
    const began = Date.now();
    const run = await engine.start(
      'latecomer',
      { errand: 'wait' },
      { webhookUrl: receiver.url('/late') },
    );

    await expect(run.result()).rejects.toMatchObject({
      status: 'timed_out',
      failure: {
        type: 'timeout',
        message: 'The workflow took longer than its timeout of 1500 ms.',
      },
    });
    expect(Date.now() - began).toBeLessThan(15_000);
    expect((await run.describe()).status).toBe('timed_out');
    const [delivery] = await receiver.deliveries('/late', 1);
    expect(JSON.parse(delivery?.body ?? '')).toMatchObject({
      status: 'timed_out',
      error: { type: 'timeout' },
    });
  });

  it('leaves one alone that is done in time', async () => {
    const { engine } = await stack(definitions);
    expect((await engine.execute('latecomer', { errand: 'hurry' })).result).toBe('in time');
  });

  it('lets it tidy up', async () => {
    const notes: unknown[] = [];
    const { engine } = await stack({
      ...definitions,
      activities: { note: (text) => void notes.push(text) },
    });

    await expect(engine.execute('latecomer', { errand: 'tidy up' })).rejects.toMatchObject({
      status: 'timed_out',
    });
    expect(notes).toEqual(['tidied']);
  });

  it('lets it answer all the same, or end with an error of its own', async () => {
    const { engine } = await stack(definitions);
    expect((await engine.execute('latecomer', { errand: 'answer' })).result).toBe('late, but here');
    await expect(engine.execute('latecomer', { errand: 'break' })).rejects.toMatchObject({
      status: 'failed',
      failure: { type: 'UndoFailed' },
    });
  });

  it('counts from the first run where it continues as new', async () => {
    const { engine } = await stack(definitions);
    const began = Date.now();
    await expect(engine.execute('latecomer', { errand: 'go round' })).rejects.toMatchObject({
      status: 'timed_out',
    });
    expect(Date.now() - began).toBeGreaterThan(1_400);
  });

  it('ends a pipeline that it waits for', async () => {
    const { engine } = await stack(definitions);
    const run = await engine.start('latecomer', {
      errand: 'pipeline',
      pipeline: 'job',
      input: { mode: 'hang' },
    });
    const child = await childOf(run.id);

    await expect(run.result()).rejects.toMatchObject({ status: 'timed_out' });
    await expect(engine.run('job', child).result()).rejects.toMatchObject({ status: 'cancelled' });
  });

  it('is told from being cancelled', async () => {
    const { engine } = await stack(definitions);
    const run = await engine.start('latecomer', { errand: 'wait' });
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
  });
});
