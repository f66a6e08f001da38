import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { EventBridge } from '../../adapters/event/event-bridge.js';
import { defineSubscriber } from '../../src/event/subscriber.js';
import { NO_SERVICES } from '../../src/pipeline/context.js';
import { STEP_SIGNAL, type StepSignal } from '../../src/task/step-signal.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { defineStepHandler } from '../../src/task/handler.js';
import { error, success } from '../../src/task/step-result.js';
import { defineTask, type TaskDefinition } from '../../src/task/task.js';
import type { Run } from '../../engine/run.js';
import {
  hearingBridge,
  inShort,
  useHeardStacks,
  type HeardEvent,
} from '../support/heard-events.js';
import { useStacks, type StackDefinitions } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

const heardStack = useHeardStacks(stack);

function taskOf(definition: Omit<TaskDefinition, 'name'>): StackDefinitions {
  return { tasks: [defineTask({ name: 'order', ...definition })] };
}

async function isWaiting(heard: readonly HeardEvent[]): Promise<true | undefined> {
  return inShort(heard).includes('step.execution.started allow 1') || undefined;
}

function answer(run: Run, signal: StepSignal): Promise<void> {
  return temporal.client.workflow.getHandle(run.id).signal(STEP_SIGNAL, signal);
}

const FAST = { maxAttempts: 3, backoffBaseMs: 10 } as const;

const pay = defineStepHandler({
  name: 'pay',
  version: '2.1.0',
  run: ({ attempt }) =>
    attempt < 2
      ? error({ type: 'Busy', message: 'busy', retryable: true })
      : success({ paid: 7, attempt }),
});

const fails = defineStepHandler({
  name: 'fails',
  run: () => {
    throw permanent('never', undefined, 'Never');
  },
});

describe('the events of a task', () => {
  it('tell of the run and of each attempt of its steps, once', async () => {
    const { engine, heard } = await heardStack(
      taskOf({ steps: [{ name: 'charge', handler: pay, retry: FAST }] }),
    );
    const { run } = await engine.execute('order', {});
    expect(inShort(heard)).toEqual([
      'task.execution.started',
      'step.execution.started charge 1',
      'step.execution.failed charge 1',
      'step.execution.started charge 2',
      'step.execution.completed charge 2',
      'task.execution.completed',
    ]);
    const executionId = run.id.split('/')[2] ?? '';
    for (const { task_uuid: task, timestamp, payload } of heard) {
      expect(task).toBe(executionId);
      expect(new Date(timestamp).toISOString()).toBe(timestamp);
      expect(payload).toMatchObject({ run_id: run.id, kind: 'task', name: 'order' });
    }
    expect(heard[2]).toMatchObject({
      step_uuid: `${executionId}.charge`,
      payload: {
        step: 'charge',
        handler: 'pay',
        handler_version: '2.1.0',
        error: { type: 'Busy', message: 'busy', retryable: true },
        will_retry: true,
        duration_ms: expect.any(Number) as unknown,
      },
    });
    expect(heard[4]).toMatchObject({
      step_uuid: `${executionId}.charge`,
      payload: { result: { paid: 7, attempt: 2 } },
    });
    expect(heard[5]).not.toHaveProperty('step_uuid');
    expect(heard[5]?.payload).toMatchObject({
      status: 'completed',
      duration_ms: expect.any(Number) as unknown,
    });
  });

  it('tell of a failure with its reason', async () => {
    const { engine, heard } = await heardStack(
      taskOf({ steps: [{ name: 'charge', handler: fails, retry: FAST }] }),
    );
    await expect(engine.execute('order', {})).rejects.toThrow();
    expect(inShort(heard)).toEqual([
      'task.execution.started',
      'step.execution.started charge 1',
      'step.execution.failed charge 1',
      'task.execution.failed',
    ]);
    expect(heard[2]?.payload).toMatchObject({ will_retry: false });
    expect(heard[3]?.payload).toMatchObject({
      status: 'failed',
      error: { type: 'Never', retryable: false },
    });
  });

  it('tell that a run was cancelled, and the step that ran', async () => {
    const waits = defineStepHandler({
      name: 'waits',
      run: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        }),
    });
    const { engine, heard } = await heardStack(taskOf({ steps: [{ name: 'w', handler: waits }] }));
    const run = await engine.start('order', {});
    await until(async () => (heard.length >= 2 ? true : undefined));
    await run.cancel();
    await expect(run.result()).rejects.toThrow();
    await until(async () => (heard.length >= 4 ? true : undefined));
    expect([...inShort(heard)].sort()).toEqual([
      'step.execution.cancelled w 1',
      'step.execution.started w 1',
      'task.execution.cancelled',
      'task.execution.started',
    ]);
  });

  it('are not repeated when another worker replays the run', async () => {
    const { engine, heard, startWorker } = await heardStack({
      ...taskOf({
        steps: [
          { name: 'charge', handler: pay, retry: FAST },
          { name: 'allow', type: 'approval', dependencies: ['charge'] },
        ],
      }),
      worker: false,
    });
    const first = await startWorker();
    const run = await engine.start('order', {});
    await until(() => isWaiting(heard));
    await first.stop();
    await startWorker();
    await answer(run, { kind: 'answer', step: 'allow', approved: true, result: { by: 'Ann' } });
    await run.result();
    const counts = new Map<string, number>();
    for (const one of inShort(heard)) counts.set(one, (counts.get(one) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({
      'task.execution.started': 1,
      'step.execution.started charge 1': 1,
      'step.execution.failed charge 1': 1,
      'step.execution.started charge 2': 1,
      'step.execution.completed charge 2': 1,
      'step.execution.started allow 1': 1,
      'step.execution.completed allow 1': 1,
      'task.execution.completed': 1,
    });
  });

  it('tell of approvals that are rejected, and of steps that somebody resolves', async () => {
    const { engine, heard } = await heardStack(
      taskOf({
        lifecycle: { onError: 'wait' },
        steps: [{ name: 'allow', type: 'approval' }],
      }),
    );
    const run = await engine.start('order', {});
    await until(() => isWaiting(heard));
    await answer(run, { kind: 'answer', step: 'allow', approved: false, result: null, by: 'Ann' });
    await until(async () => (heard.length >= 3 ? true : undefined));
    await answer(run, { kind: 'resolve', step: 'allow', result: { ok: 1 }, reason: 'by phone' });
    await run.result();
    await until(async () => (heard.length >= 5 ? true : undefined));
    expect(inShort(heard)).toEqual([
      'task.execution.started',
      'step.execution.started allow 1',
      'step.execution.failed allow 1',
      'step.execution.completed allow 1',
      'task.execution.completed',
    ]);
    expect(heard[2]?.payload).toMatchObject({
      error: { type: 'ApprovalRejected', message: 'It was rejected by Ann.' },
    });
    expect(heard[3]?.payload).toMatchObject({ step: 'allow', result: { ok: 1 } });
  });

  it('of a step are those that its template has it publish, by their conditions', async () => {
    const declared = [
      { name: 'payment.charged' },
      { name: 'payment.delayed', condition: 'retryable_failure' },
      { name: 'payment.lost', condition: 'permanent_failure' },
      { name: 'payment.troubled', condition: 'failure' },
      { name: 'payment.tried', condition: 'always' },
    ] as const;
    const { engine, heard } = await heardStack(
      taskOf({
        steps: [
          { name: 'charge', handler: pay, retry: FAST, publishesEvents: declared },
          { name: 'refund', handler: fails, dependencies: ['charge'], publishesEvents: declared },
        ],
      }),
    );
    await expect(engine.execute('order', {})).rejects.toThrow();
    const published = heard.filter(({ event_type: type }) => type.startsWith('payment.'));
    expect(
      published.map(({ event_type: type, payload }) => `${String(payload['step'])} ${type}`),
    ).toEqual([
      'charge payment.delayed',
      'charge payment.troubled',
      'charge payment.tried',
      'charge payment.charged',
      'charge payment.tried',
      'refund payment.lost',
      'refund payment.troubled',
      'refund payment.tried',
    ]);
    expect(published[3]?.payload).toMatchObject({
      name: 'order',
      step_name: 'charge',
      attempt: 2,
      result: { paid: 7, attempt: 2 },
    });
    expect(published[5]?.payload).toMatchObject({ error: { type: 'Never', message: 'never' } });
  });

  it('give subscribers what they may change, and the run goes on with what the step came to', async () => {
    const changed: string[] = [];
    const events = new EventBridge({ log: pino({ level: 'silent' }), services: NO_SERVICES });
    events.replace([
      defineSubscriber({
        name: 'changes',
        events: ['step.execution.completed', 'payment.charged'],
        handle: ({ event_type: type, payload }) => {
          // The step's handler gives it.
          (payload as { readonly result: { paid: number } }).result.paid = 0;
          changed.push(type);
        },
      }),
    ]);
    const { engine } = await stack({
      ...taskOf({
        steps: [
          {
            name: 'charge',
            handler: pay,
            retry: FAST,
            publishesEvents: [{ name: 'payment.charged' }],
          },
        ],
      }),
      events,
    });
    const { result } = await engine.execute('order', {});
    expect(changed).toEqual(['payment.charged', 'step.execution.completed']);
    expect(result).toMatchObject({ results: { charge: { paid: 7 } } });
  });

  it('that do not fit their schema are not published, and the step is done all the same', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => lines.push(line) });
    const { events, heard } = hearingBridge();
    const { engine } = await stack({
      ...taskOf({
        domainEvents: [
          { name: 'payment.charged', schema: { type: 'object', required: ['receipt'] } },
        ],
        steps: [
          {
            name: 'charge',
            handler: pay,
            retry: FAST,
            publishesEvents: [
              { name: 'payment.charged' },
              { name: 'payment.made', schema: { type: 'object', required: ['paid'] } },
            ],
          },
        ],
      }),
      events,
      log,
    });
    await expect(engine.execute('order', {})).resolves.toMatchObject({
      result: { status: 'complete' },
    });
    const types = heard.map(({ event_type: type }) => type);
    expect(types).toContain('payment.made');
    expect(types).not.toContain('payment.charged');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        event: 'payment.charged',
        step: 'charge',
        reason: expect.stringContaining('receipt') as unknown,
      }),
    ]);
  });
});
