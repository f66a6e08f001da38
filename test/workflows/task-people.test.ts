import { describe, expect, it } from '@jest/globals';
import type { Run } from '../../engine/run.js';
import type { StepProgress } from '../../src/progress/task-progress.js';
import {
  defineBatchableHandler,
  defineDecisionHandler,
  defineStepHandler,
} from '../../src/task/handler.js';
import { STEP_SIGNAL, type StepSignal } from '../../src/task/step-signal.js';
import { error, success, type StepError } from '../../src/task/step-result.js';
import { defineTask, type ApprovalConfig, type Lifecycle } from '../../src/task/task.js';
import { useStacks } from '../support/stack.js';
import { ENDLESS, stepsOfRun } from '../support/tasks.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

async function stepOf(run: Run, step: string): Promise<StepProgress | undefined> {
  return (await stepsOfRun(run)).find(({ name }) => name === step);
}

async function untilStep(run: Run, step: string, status: string): Promise<void> {
  await until(async () => ((await stepOf(run, step))?.status === status ? true : undefined));
}

function tell(run: Run, signal: StepSignal): Promise<void> {
  return temporal.client.workflow.getHandle(run.id).signal(STEP_SIGNAL, signal);
}

const ship = defineStepHandler({
  name: 'ship',
  run: ({ getDependencyField }) =>
    success({ by: getDependencyField<string>('check', 'by') ?? null }),
});

describe('a task whose steps have failed, and that waits', () => {
  async function failed(lifecycle: Lifecycle = { onError: 'wait' }) {
    const state = { works: false };
    const check = defineStepHandler({
      name: 'check',
      run: ({ attempt }) =>
        state.works
          ? success({ by: 'machine', attempt })
          : error({ message: 'no answer', retryable: false }),
    });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'checked-order',
          lifecycle,
          steps: [
            { name: 'check', handler: check },
            { name: 'ship', handler: ship, dependencies: ['check'] },
          ],
        }),
      ],
    });
    const run = await engine.start('checked-order', {});
    return { run, state };
  }

  it('goes on where the step is retried', async () => {
    const { run, state } = await failed();
    await untilStep(run, 'check', 'error');
    expect((await run.describe()).status).toBe('running');
    state.works = true;
    await tell(run, { kind: 'retry', step: 'check', by: 'ada' });
    expect(await run.result()).toEqual({
      status: 'complete',
      results: { ship: { by: 'machine' } },
    });
    expect(await stepOf(run, 'check')).toMatchObject({
      attempts: 1,
      result: { by: 'machine', attempt: 1 },
    });
  });

  it('goes on where somebody says what the result is to be, and says so in the end', async () => {
    const { run } = await failed();
    await untilStep(run, 'check', 'error');
    await tell(run, {
      kind: 'resolve',
      step: 'check',
      result: { by: 'hand' },
      reason: 'looked it up',
      by: 'ada',
    });
    expect(await run.result()).toEqual({
      status: 'resolved_manually',
      results: { ship: { by: 'hand' } },
    });
    expect(await stepOf(run, 'check')).toMatchObject({
      status: 'resolved_manually',
      by: 'ada',
      reason: 'looked it up',
    });
  });

  it('goes on where somebody says what a decision, and a batchable step, would have', async () => {
    const no = (): StepError => error({ message: 'no answer', retryable: false });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'steered',
          lifecycle: { onError: 'wait' },
          steps: [
            {
              name: 'route',
              type: 'decision',
              handler: defineDecisionHandler({ name: 'route', run: no }),
            },
            { name: 'plain', handler: ship, dependencies: ['route'] },
            {
              name: 'split',
              type: 'batchable',
              handler: defineBatchableHandler({ name: 'split', run: no }),
              dependencies: ['route'],
              batchConfig: { workerTemplate: 'load' },
            },
            {
              name: 'load',
              type: 'batch_worker',
              handler: defineStepHandler({
                name: 'load',
                run: ({ batch }) => success({ items: (batch?.end ?? 0) - (batch?.start ?? 0) }),
              }),
              dependencies: ['split'],
            },
          ],
        }),
      ],
    });
    const run = await engine.start('steered', {});
    await untilStep(run, 'route', 'error');
    const how = { kind: 'resolve', result: null, reason: 'by hand' } as const;
    await expect(run.tellStep({ ...how, step: 'route' })).rejects.toThrow(
      'branches must list the steps that come next, or none: step "route" is a decision between plain, split.',
    );
    await expect(run.tellStep({ ...how, step: 'route', branches: ['splt'] })).rejects.toThrow(
      'branches: unknown step "splt". Did you mean "split"?',
    );
    await run.tellStep({ ...how, step: 'route', branches: ['split'] });
    await untilStep(run, 'split', 'error');
    await expect(
      run.tellStep({ ...how, step: 'split', ranges: [{ start: 2, end: 2 }] }),
    ).rejects.toThrow('{"start":2,"end":2} is no range');
    const ranges = [
      { start: 0, end: 10 },
      { start: 10, end: 13 },
    ];
    await run.tellStep({ ...how, step: 'split', ranges });
    expect(await run.result()).toEqual({
      status: 'resolved_manually',
      results: { load_001: { items: 10 }, load_002: { items: 3 } },
    });
    expect(await stepOf(run, 'plain')).toMatchObject({ status: 'skipped' });
  });

  it('takes nothing of what cannot be done, and waits on', async () => {
    const { run, state } = await failed();
    await untilStep(run, 'check', 'error');
    await tell(run, { kind: 'retry', step: 'ship' });
    await tell(run, { kind: 'resolve', step: 'nowhere', result: 1, reason: 'x' });
    await tell(run, { kind: 'answer', step: 'check', approved: true, result: 1 });
    await temporal.client.workflow.getHandle(run.id).signal(STEP_SIGNAL, 'nonsense');
    expect((await stepOf(run, 'ship'))?.status).toBe('blocked');
    state.works = true;
    await tell(run, { kind: 'retry', step: 'check' });
    expect(await run.result()).toMatchObject({ status: 'complete' });
  });

  it('ends at the longest wait for dependencies', async () => {
    const { run } = await failed({ onError: 'wait', maxWaitForDependencies: '700ms' });
    await expect(run.result()).rejects.toMatchObject({
      failure: {
        type: 'DependencyWaitExceeded',
        message:
          'After 700 ms (max_wait_for_dependencies) steps still wait for those that they depend on: ship.',
      },
    });
  });

  it('is put among the dead letters by a limit, where it says so', async () => {
    const { run } = await failed({ onError: 'wait', maxDuration: '600ms', onLimit: 'dead_letter' });
    await expect(run.result()).rejects.toMatchObject({ status: 'timed_out' });
    const { raw, memo } = await temporal.client.workflow.getHandle(run.id).describe();
    expect(memo).toMatchObject({ deadLetter: expect.stringMatching(/^timeout: /) });
    const tags =
      raw.workflowExecutionInfo?.searchAttributes?.indexedFields?.['TemporalChangeVersion'];
    expect(Buffer.from(tags?.data ?? []).toString()).toContain('millrace.dead_letter');
  });
});

describe('a step that takes longer than the task may', () => {
  it('makes a dead letter of the task, as any other step that is still waited for', async () => {
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'slow-task',
          lifecycle: { maxDuration: '500ms', onLimit: 'dead_letter', onError: 'wait' },
          steps: [{ name: 'endless', handler: ENDLESS, retry: { retryable: false } }],
        }),
      ],
    });
    const run = await engine.start('slow-task', {});
    const failed = await run.result().catch((error: unknown) => error);
    expect(failed).toMatchObject({ status: 'timed_out', failure: { type: 'timeout' } });
    expect(failed).not.toHaveProperty('failure.step');
    const { memo } = await temporal.client.workflow.getHandle(run.id).describe();
    expect(memo).toMatchObject({
      deadLetter: 'timeout: The task took longer than its 500 ms (max_duration).',
    });
  });
});

describe('a step that takes too long by its own limit', () => {
  it('makes no dead letter of the task', async () => {
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'slow-step',
          lifecycle: { onLimit: 'dead_letter' },
          steps: [
            { name: 'endless', handler: ENDLESS, timeoutSeconds: 0.2, retry: { retryable: false } },
          ],
        }),
      ],
    });
    const run = await engine.start('slow-step', {});
    await expect(run.result()).rejects.toMatchObject({ failure: { type: 'timeout' } });
    const { memo } = await temporal.client.workflow.getHandle(run.id).describe();
    expect(memo ?? {}).not.toHaveProperty('deadLetter');
  });
});

describe('a retry that would have to wait too long', () => {
  it('ends the task', async () => {
    const busy = defineStepHandler({
      name: 'busy',
      run: () => error({ message: 'busy', retryable: true, retryAfterMs: 60_000 }),
    });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'hurried',
          lifecycle: { maxWaitForRetry: '1s', onError: 'wait' },
          steps: [{ name: 'busy', handler: busy }],
        }),
      ],
    });
    await expect(engine.execute('hurried', {})).rejects.toMatchObject({
      failure: {
        type: 'RetryWaitExceeded',
        message:
          'Step "busy" failed: The next attempt would have to wait 60000 ms, and the most is 1000 (max_wait_for_retry). busy',
      },
    });
  });

  it('ends it as well where it is more than what is left of its time, and makes a dead letter of it', async () => {
    const busy = defineStepHandler({
      name: 'busy',
      run: () => error({ message: 'busy', retryAfterMs: 60_000 }),
    });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'short-task',
          lifecycle: { maxDuration: '30s', onLimit: 'dead_letter' },
          steps: [{ name: 'busy', handler: busy }],
        }),
      ],
    });
    const run = await engine.start('short-task', {});
    await expect(run.result()).rejects.toMatchObject({
      failure: {
        type: 'RetryWaitExceeded',
        message: expect.stringMatching(
          /wait 60000 ms, and the most is \d+ \(what is left of max_duration\)\. busy$/,
        ),
      },
    });
    const { memo } = await temporal.client.workflow.getHandle(run.id).describe();
    expect(memo).toMatchObject({ deadLetter: expect.stringMatching(/^RetryWaitExceeded: /) });
  });
});

describe('an approval', () => {
  async function asked(approval?: ApprovalConfig): Promise<Run> {
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'approved-order',
          steps: [
            { name: 'check', type: 'approval', ...(approval !== undefined && { approval }) },
            { name: 'ship', handler: ship, dependencies: ['check'] },
          ],
        }),
      ],
    });
    return engine.start('approved-order', {});
  }

  it('waits for an answer, which is its result', async () => {
    const run = await asked();
    await untilStep(run, 'check', 'in_progress');
    expect((await stepOf(run, 'ship'))?.status).toBe('pending');
    await tell(run, { kind: 'answer', step: 'check', approved: true, result: { by: 'ada' } });
    expect(await run.result()).toEqual({ status: 'complete', results: { ship: { by: 'ada' } } });
    const types: string[] = [];
    for await (const { type, data } of run.events())
      types.push(`${type} ${typeof data['step'] === 'string' ? data['step'] : ''}`);
    expect(types).toEqual([
      'task_started ',
      'approval_requested check',
      'step_completed check',
      'step_started ship',
      'step_completed ship',
      'complete ',
    ]);
  });

  it('fails where it is rejected', async () => {
    const run = await asked();
    await untilStep(run, 'check', 'in_progress');
    await tell(run, { kind: 'answer', step: 'check', approved: false, result: 'no', by: 'ada' });
    await expect(run.result()).rejects.toMatchObject({
      failure: {
        type: 'ApprovalRejected',
        message: 'Step "check" failed: It was rejected by ada: no',
      },
    });
  });

  it('fails where nobody answers in time', async () => {
    const run = await asked({ timeout: '300ms' });
    await expect(run.result()).rejects.toMatchObject({
      failure: { type: 'ApprovalTimeout', step: 'check' },
    });
    expect((await stepOf(run, 'check'))?.status).toBe('error');
  });

  it('goes on with a result of its own where nobody answers, if it says so', async () => {
    const run = await asked({ timeout: '300ms', onTimeout: 'complete', result: { by: 'clock' } });
    expect(await run.result()).toEqual({ status: 'complete', results: { ship: { by: 'clock' } } });
    expect((await stepOf(run, 'check'))?.status).toBe('complete');
  });
});
