import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import type { ExecutionInfo, ExecutionOutcome } from '../../src/config/hooks.js';
import { defineWorkflow } from '../../src/definition/workflow.js';
import { defineOperation } from '../../src/pipeline/operation.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import { ensureMinuteSchedule, sweepSchedule } from '../../worker/minute-schedule.js';
import { useStacks, type StackDefinitions } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { useWebhookReceiver } from '../support/webhook-receiver.js';

const temporal = useTemporal();
const stack = useStacks(temporal);
const receiver = useWebhookReceiver();

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const work = defineOperation({
  name: 'work',
  reads: z.object({ mode: z.string() }),
  sets: z.object({ done: z.boolean() }),
  run: async ({ input, signal }) => {
    if (input.mode === 'fail') throw permanent('cannot be done');
    if (input.mode === 'hang') {
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    }
    return { done: true };
  },
});

const pipelines = [
  definePipeline({ name: 'job', stages: [{ name: 'only', operations: [work] }] }),
  definePipeline({ name: 'short', timeout: '1s', stages: [{ name: 'only', operations: [work] }] }),
];

const definitions: StackDefinitions = { operations: [work], pipelines, webhookSecret: SECRET };

describe('a webhook', () => {
  it('is told that a run completed, in the form of the seed and signed by Standard Webhooks', async () => {
    const { engine } = await stack(definitions);

    const run = await engine.start(
      'job',
      { mode: 'go' },
      { webhookUrl: receiver.url('/done?token=1') },
    );

    const [delivery] = await receiver.deliveries('/done?token=1', 1);
    expect(JSON.parse(delivery?.body ?? '')).toEqual({
      execution_id: run.executionId,
      pipe_name: 'job',
      status: 'completed',
      result: { mode: 'go', done: true },
      error: null,
      started_at: expect.stringMatching(/^\d{4}-/),
      completed_at: expect.stringMatching(/^\d{4}-/),
    });
    expect(delivery?.headers['webhook-id']).toBe(`${run.executionId}.completed`);
    expect(() =>
      new Webhook(SECRET).verify(delivery?.body ?? '', delivery?.headers as Record<string, string>),
    ).not.toThrow();
  });

  it.each([
    { path: '/failed', mode: 'fail', pipeline: 'job', status: 'failed', type: 'execution_error' },
    { path: '/timeout', mode: 'hang', pipeline: 'short', status: 'timed_out', type: 'timeout' },
  ])('is told that a run $status', async ({ path, mode, pipeline, status, type }) => {
    const { engine } = await stack(definitions);

    await engine.start(pipeline, { mode }, { webhookUrl: receiver.url(path) });

    const [delivery] = await receiver.deliveries(path, 1);
    expect(JSON.parse(delivery?.body ?? '')).toMatchObject({
      pipe_name: pipeline,
      status,
      result: null,
      error: { type },
    });
  });

  it('is told that a run was cancelled', async () => {
    const { engine } = await stack(definitions);
    const run = await engine.start(
      'job',
      { mode: 'hang' },
      { webhookUrl: receiver.url('/cancelled') },
    );

    await run.cancel();

    const [delivery] = await receiver.deliveries('/cancelled', 1);
    expect(JSON.parse(delivery?.body ?? '')).toMatchObject({ status: 'cancelled' });
  });

  it('is told by the sweep that a run was terminated, once', async () => {
    const { engine, taskQueue } = await stack(definitions);
    await ensureMinuteSchedule(temporal.client, taskQueue, sweepSchedule(taskQueue));
    const schedule = temporal.client.schedule.getHandle(sweepSchedule(taskQueue).scheduleId);
    try {
      const run = await engine.start(
        'job',
        { mode: 'hang' },
        { webhookUrl: receiver.url('/terminated') },
      );
      await temporal.client.workflow.getHandle(run.id).terminate('for the test');
      await expect(run.result()).rejects.toMatchObject({ status: 'terminated' });

      // Visibility learns of the end a little later than the history.
      for (let i = 0; i < 3; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        await schedule.trigger();
      }

      const [delivery] = await receiver.deliveries('/terminated', 1);
      expect(JSON.parse(delivery?.body ?? '')).toMatchObject({
        execution_id: run.executionId,
        status: 'terminated',
      });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(await receiver.deliveries('/terminated', 1)).toHaveLength(1);
    } finally {
      await schedule.delete();
    }
  });

  it('is told of a hand-written workflow, too', async () => {
    const { engine } = await stack({
      ...definitions,
      workflows: [
        defineWorkflow({
          name: 'greet',
          input: z.object({ name: z.string() }),
          output: z.object({ greeting: z.string() }),
        }),
      ],
      workflowFiles: [fileURLToPath(new URL('./fixtures/greet.ts', import.meta.url))],
    });

    const run = await engine.start(
      'greet',
      { name: 'Ada' },
      { webhookUrl: receiver.url('/greeted') },
    );
    await engine.start('greet', { name: 'nobody' }, { webhookUrl: receiver.url('/nobody') });

    expect(await run.result()).toEqual({ greeting: 'Hello, Ada!' });
    const [greeted] = await receiver.deliveries('/greeted', 1);
    expect(JSON.parse(greeted?.body ?? '')).toMatchObject({
      pipe_name: 'greet',
      result: { greeting: 'Hello, Ada!' },
    });
    const [nobody] = await receiver.deliveries('/nobody', 1);
    expect(JSON.parse(nobody?.body ?? '')).toMatchObject({
      status: 'failed',
      error: { code: 'NobodyThere' },
    });
  });

  it('is tried again with the same id after an answer that is no success, and follows no redirect', async () => {
    receiver.answer('/flaky', 302);
    const { engine } = await stack(definitions);

    await engine.start('job', { mode: 'go' }, { webhookUrl: receiver.url('/flaky') });

    const deliveries = await receiver.deliveries('/flaky', 2);
    expect(new Set(deliveries.map((delivery) => delivery.headers['webhook-id'])).size).toBe(1);
    await expect(receiver.deliveries('/elsewhere', 1, 100)).rejects.toThrow();
  });

  it('does not go to a private address unless that is allowed', async () => {
    const { engine } = await stack({ ...definitions, webhookAllow: [] });
    const localhost = receiver.url('/private').replace('127.0.0.1', 'localhost');

    const first = await engine.start(
      'job',
      { mode: 'go' },
      { webhookUrl: receiver.url('/private') },
    );
    const second = await engine.start('job', { mode: 'go' }, { webhookUrl: localhost });

    for (const run of [first, second]) {
      const delivery = temporal.client.workflow.getHandle(`outcome/${run.id}`);
      await run.result();
      await expect(delivery.result()).rejects.toMatchObject({
        cause: { cause: { type: 'WebhookAddressRefused' } },
      });
    }
    await expect(receiver.deliveries('/private', 1, 100)).rejects.toThrow();
  });
});

describe('afterExecute', () => {
  it('is called once for each run that ends, and again when it throws', async () => {
    const calls: { name: string; outcome: ExecutionOutcome; info: ExecutionInfo }[] = [];
    let failures = 1;
    const { engine } = await stack({
      ...definitions,
      afterExecute: (name, outcome, info) => {
        if (failures-- > 0) throw new Error('the audit log is away');
        calls.push({ name, outcome, info });
      },
    });

    const run = await engine.start('job', { mode: 'go' }, { principal: 'ada' });
    await run.result();
    await engine.execute('job', { mode: 'fail' }).catch(() => undefined);
    for (let left = 200; calls.length < 2 && left > 0; left -= 1)
      await new Promise((resolve) => setTimeout(resolve, 50));

    const ordered = [...calls].sort((a, b) => a.outcome.status.localeCompare(b.outcome.status));
    expect(ordered).toMatchObject([
      {
        name: 'job',
        outcome: { status: 'completed' },
        info: { id: run.executionId, principal: 'ada' },
      },
      {
        name: 'job',
        outcome: { status: 'failed', error: { type: 'PermanentError', message: 'cannot be done' } },
      },
    ]);
  });

  it('is told, as the webhook is, how long a run of nothing but quick operations took', async () => {
    const touch = defineOperation({ name: 'touch', quick: true, run: () => ({}) });
    const told: ExecutionInfo[] = [];
    const { engine } = await stack({
      operations: [touch],
      pipelines: [
        definePipeline({ name: 'touched', stages: [{ name: 'only', operations: [touch] }] }),
      ],
      webhookSecret: SECRET,
      afterExecute: (_name, _outcome, info) => {
        told.push(info);
      },
    });
    const sums = { hook: 0, webhook: 0, described: 0 };
    for (let count = 1; count <= 5; count += 1) {
      const path = `/touched/${String(count)}`;
      const run = await engine.start('touched', {}, { webhookUrl: receiver.url(path) });
      const [delivery] = await receiver.deliveries(path, 1);
      // A webhook's body has these times.
      const body = JSON.parse(delivery?.body ?? '') as { started_at: string; completed_at: string };
      const { startedAt, completedAt } = await run.describe();
      const deadline = Date.now() + 10_000;
      while (told.length < count && Date.now() < deadline) await delay(10);
      sums.hook += told[count - 1]?.durationMs ?? 0;
      sums.webhook += Date.parse(body.completed_at) - Date.parse(body.started_at);
      sums.described += (completedAt?.getTime() ?? 0) - startedAt.getTime();
    }
    // By the run's own clock, which stands still meanwhile, it would be about a thirtieth.
    expect(sums.hook).toBeGreaterThan(sums.described / 6);
    expect(sums.hook).toBeLessThanOrEqual(sums.described);
    expect(sums.hook).toBe(sums.webhook);
  });

  it('keeps neither the run nor its webhook waiting when it hangs', async () => {
    const { engine } = await stack({
      ...definitions,
      afterExecute: () => new Promise(() => undefined),
    });
    const began = Date.now();

    const run = await engine.start(
      'job',
      { mode: 'go' },
      { webhookUrl: receiver.url('/hanging-hook') },
    );

    expect(await run.result()).toMatchObject({ done: true });
    await receiver.deliveries('/hanging-hook', 1);
    expect(Date.now() - began).toBeLessThan(10_000);
  });
});
