import { describe, expect, it } from '@jest/globals';
import { ActivityFailure, TimeoutFailure } from '@temporalio/common';
import { z } from 'zod';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import { childOf } from '../support/child-run.js';
import { useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { planningFailureOf } from '../../workflows/failure.js';
import { ERRANDS } from './fixtures/errand-definitions.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

describe('a pipeline as a child', () => {
  it('is a run like any other, started by who started the workflow', async () => {
    const { engine } = await stack(ERRANDS);

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

  it('is told of to afterExecute, as the workflow is', async () => {
    const told: string[] = [];
    const { engine } = await stack({ ...ERRANDS, afterExecute: (name) => void told.push(name) });

    await engine.execute('errands', { errand: 'pipeline', pipeline: 'nothing' });

    await until(async () => (told.length === 2 ? true : undefined));
    expect(told.sort()).toEqual(['errands', 'nothing']);
  });

  it('fails with its own type, which the workflow can catch', async () => {
    const { engine } = await stack(ERRANDS);
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
      ...ERRANDS,
      pipelines: [...(ERRANDS.pipelines ?? []), strict],
    });

    await expect(engine.execute('errands', { errand: 'pipeline', ...order })).rejects.toMatchObject(
      {
        failure,
      },
    );
  });

  it('is cancelled with the workflow', async () => {
    const { engine } = await stack(ERRANDS);
    const run = await engine.start('errands', {
      errand: 'pipeline',
      pipeline: 'job',
      input: { mode: 'hang' },
    });
    const child = await childOf(temporal, run.id);

    await run.cancel();

    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
    await expect(engine.run('job', child).result()).rejects.toMatchObject({ status: 'cancelled' });
  });

  it.each([
    { end: 'cancel', failure: { type: 'cancelled' } },
    { end: 'terminate', failure: { type: 'terminated' } },
  ] as const)('that others $end fails the workflow with that type', async ({ end, failure }) => {
    const { engine } = await stack(ERRANDS);
    const run = await engine.start('errands', {
      errand: 'pipeline',
      pipeline: 'job',
      input: { mode: 'hang' },
    });
    const child = await childOf(temporal, run.id);

    await temporal.client.workflow.getHandle(`pipeline/job/${child}`)[end]();

    await expect(run.result()).rejects.toMatchObject({ status: 'failed', failure });
  });

  it('that the workflow leaves is cancelled, unless it is abandoned', async () => {
    const { engine } = await stack(ERRANDS);
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

  it('shares nothing with those of other runs of the same worker', async () => {
    const { engine } = await stack(ERRANDS);
    const order = { errand: 'pipelines', pipeline: 'nothing', count: 3 };

    const results = await Promise.all(
      Array.from({ length: 6 }, () => engine.execute('errands', order)),
    );

    expect(results.map(({ result }) => result)).toEqual([3, 3, 3, 3, 3, 3]);
  });

  it('may be one of many with large inputs, which no message to the server could hold together', async () => {
    const { engine } = await stack(ERRANDS);

    const { result } = await engine.execute('errands', {
      errand: 'pipelines',
      pipeline: 'nothing',
      count: 8,
      input: { blob: 'x'.repeat(1024 * 1024) },
    });

    expect(result).toBe(8);
  }, 60_000);
});

describe('a pipeline that cannot be planned', () => {
  it('in time is told with a type of its own: no timeout of a run has passed', () => {
    const late = new TimeoutFailure('activity StartToClose timeout', undefined, 'START_TO_CLOSE');
    const ofActivity = new ActivityFailure(
      'Activity task timed out',
      'millrace.plan',
      '1',
      'MAXIMUM_ATTEMPTS_REACHED',
      undefined,
      late,
    );

    for (const error of [late, ofActivity])
      expect(planningFailureOf(error, 'job')).toMatchObject({
        type: 'PlanningTimeout',
        message: expect.stringContaining('pipeline "job"'),
      });
  });
});
