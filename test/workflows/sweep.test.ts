import { describe, expect, it, jest } from '@jest/globals';
import pino from 'pino';
import { ulid } from 'ulid';
import { z } from 'zod';
import type { ExecutionInfo, ExecutionOutcome } from '../../src/config/hooks.js';
import { defineOperation } from '../../src/pipeline/operation.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import type * as sweepModule from '../../activities/outcome/sweep-outcomes.js';
import { WebhookSender } from '../../adapters/webhook/webhook-sender.js';
import { useStacks, type Stack, type StackDefinitions } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { useWebhookReceiver, type Received } from '../support/webhook-receiver.js';

jest.setTimeout(60_000);

const temporal = useTemporal();
const stack = useStacks(temporal);
const receiver = useWebhookReceiver();

const work = defineOperation({
  name: 'work',
  reads: z.object({ mode: z.string() }),
  sets: z.object({ done: z.boolean() }),
  run: () => ({ done: true }),
});

const definitions: StackDefinitions = {
  operations: [work],
  pipelines: [definePipeline({ name: 'job', stages: [{ name: 'only', operations: [work] }] })],
};

/** A run as the engine starts it, but with a short end of Temporal's own; nobody takes it while there is no worker. */
async function startShort(taskQueue: string, memo: Record<string, unknown>): Promise<string> {
  const executionId = ulid();
  await temporal.client.workflow.start('job', {
    taskQueue,
    workflowId: `pipeline/job/${executionId}`,
    args: [{ input: { mode: 'go' } }],
    workflowExecutionTimeout: '1s',
    memo,
  });
  return executionId;
}

async function ended(executionId: string): Promise<string> {
  const handle = temporal.client.workflow.getHandle(`pipeline/job/${executionId}`);
  await handle.result().catch(() => undefined);
  return (await handle.describe()).status.name;
}

/** Sweeps on the stack's queue until that started so many deliveries. Visibility learns of an end a little later. */
async function sweepUntil({ taskQueue }: Stack, wanted: number): Promise<void> {
  let started = 0;
  for (const deadline = Date.now() + 20_000; started < wanted;) {
    if (Date.now() > deadline) throw new Error(`sweeps started ${String(started)} deliveries`);
    started += await sweep(taskQueue);
  }
  expect(started).toBe(wanted);
}

async function sweep(taskQueue: string): Promise<number> {
  const workflowId = `sweep-${ulid()}`;
  // What the workflow of the worker's own bundle returns.
  return (await temporal.client.workflow.execute('sweepOutcomes', {
    taskQueue,
    workflowId,
  })) as number;
}

function bodyOf(delivery: Received | undefined): unknown {
  return JSON.parse(delivery?.body ?? '');
}

describe('the sweep', () => {
  it('tells of runs that Temporal timed out or somebody terminated while no worker was there', async () => {
    const calls: { outcome: ExecutionOutcome; info: ExecutionInfo }[] = [];
    const stacked = await stack({
      ...definitions,
      worker: false,
      afterExecute: (_name, outcome, info) => {
        calls.push({ outcome, info });
      },
    });
    const { engine, taskQueue } = stacked;
    const late = await startShort(taskQueue, {
      webhookUrl: receiver.url('/late'),
      principal: 'ada',
      afterExecute: true,
    });
    const untold = await startShort(taskQueue, {});
    const stopped = await engine.start(
      'job',
      { mode: 'go' },
      { webhookUrl: receiver.url('/stopped') },
    );
    await temporal.client.workflow.getHandle(stopped.id).terminate('for the test');
    expect([await ended(late), await ended(untold)]).toEqual(['TIMED_OUT', 'TIMED_OUT']);

    await stacked.startWorker();
    await sweepUntil(stacked, 2);

    const [timedOut] = await receiver.deliveries('/late', 1);
    expect(timedOut?.headers['webhook-id']).toBe(`${late}.timed_out`);
    expect(bodyOf(timedOut)).toEqual({
      execution_id: late,
      pipe_name: 'job',
      status: 'timed_out',
      result: null,
      error: { type: 'timeout', code: 'timeout', message: expect.any(String) },
      started_at: expect.stringMatching(/^\d{4}-/),
      completed_at: expect.stringMatching(/^\d{4}-/),
    });
    const [terminated] = await receiver.deliveries('/stopped', 1);
    expect(terminated?.headers['webhook-id']).toBe(`${stopped.executionId}.terminated`);
    expect(bodyOf(terminated)).toMatchObject({ status: 'terminated', result: null });
    for (let left = 200; calls.length < 2 && left > 0; left -= 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(calls.map(({ info, outcome }) => [info.id, info.principal, outcome.status])).toEqual(
      expect.arrayContaining([
        [late, 'ada', 'timed_out'],
        [stopped.executionId, undefined, 'terminated'],
      ]),
    );
    expect(calls).toHaveLength(2);
  });

  it('tells of each only once, also when another worker sweeps that knows nothing of the first', async () => {
    const stacked = await stack({ ...definitions, worker: false });
    const { taskQueue } = stacked;
    const late = await startShort(taskQueue, { webhookUrl: receiver.url('/once') });
    await ended(late);
    await stacked.startWorker();
    await sweepUntil(stacked, 1);
    await receiver.deliveries('/once', 1);

    expect(await sweep(taskQueue)).toBe(0);
    // Another instance of the module has another memory, as another process has.
    const fresh = '../../activities/outcome/sweep-outcomes.ts?another-process';
    const { sweepOutcomes } = (await import(fresh)) as typeof sweepModule;
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => lines.push(line) });
    const sender = new WebhookSender({ secrets: [], allow: ['private'] });
    const started = await sweepOutcomes({
      outcomes: {
        webhooks: sender,
        webhookMaxAgeMs: 60_000,
        afterExecute: () => undefined,
        client: temporal.client,
        taskQueue,
      },
      code: stacked.code,
      services: {},
      log,
    });
    expect([started, lines]).toEqual([0, []]);
    await temporal.client.workflow.getHandle(`outcome/pipeline/job/${late}`).result();
    expect(await receiver.deliveries('/once', 1)).toHaveLength(1);
  });
});
