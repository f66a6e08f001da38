import { describe, expect, it } from '@jest/globals';
import {
  batches,
  branches,
  defineApiHandler,
  defineBatchableHandler,
  defineDecisionHandler,
  defineStepHandler,
  defineTask,
  error,
  noBranches,
  success,
} from 'millrace';
import { runTask } from 'millrace/testing';
import { z } from 'zod';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();

const shared = (): Record<string, string> => ({ TEMPORAL_ADDRESS: temporal.address });

const route = defineDecisionHandler({
  name: 'route',
  run: ({ getTaskField }) =>
    (getTaskField<number>('amount') ?? 0) > 1_000 ? branches(['approve']) : noBranches(),
});

const charge = defineApiHandler({
  name: 'charge',
  baseUrl: 'https://bank.invalid',
  headers: () => {
    throw new Error('no key in a test');
  },
  run: async ({ api }) => success((await api.post<{ id: string }>('/charges')).body),
});

const order = defineTask({
  name: 'order',
  inputSchema: z.object({ amount: z.number() }),
  identityStrategy: 'strict',
  steps: [
    { name: 'route_order', type: 'decision', handler: route },
    { name: 'approve', type: 'approval', dependencies: ['route_order'] },
    {
      name: 'charge_card',
      type: 'deferred_convergence',
      handler: charge,
      dependencies: ['route_order', 'approve'],
      retry: { maxAttempts: 2, backoffBaseMs: 10 },
      resultSchema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
    },
  ],
});

const load = defineTask({
  name: 'load',
  steps: [
    {
      name: 'count',
      type: 'batchable',
      handler: defineBatchableHandler({ name: 'count', run: () => batches({ total: 10_000 }) }),
      batchConfig: { workerTemplate: 'load_rows' },
    },
    {
      name: 'load_rows',
      type: 'batch_worker',
      handler: defineStepHandler({
        name: 'load_rows',
        run: ({ batch }) => success({ rows: (batch?.end ?? 0) - (batch?.start ?? 0) }),
      }),
      dependencies: ['count'],
    },
  ],
});

describe('runTask', () => {
  it('runs a task whole, with data in the place of a handler', async () => {
    const run = await runTask(order, {
      input: { amount: 5 },
      handlers: { charge: { id: 'c-1' } },
      env: shared(),
    });
    expect(run.result).toEqual({
      status: 'complete',
      results: { charge_card: { id: 'c-1' } },
    });
    expect(run.step('charge_card')).toMatchObject({
      handler: 'charge',
      status: 'complete',
      stubbed: true,
      got: { route_order: { branches: [] } },
      result: { id: 'c-1' },
    });
    expect(run.step('route_order').stubbed).toBe(false);
    expect(run.step('approve').status).toBe('skipped');
    expect(run.events.map(({ type }) => type)).toContain('step_completed');
    expect(() => run.step('charge')).toThrow('Known: approve, charge_card, route_order');
  });

  it('answers approvals, and runs a task twice whose second run would be refused', async () => {
    for (const by of ['Ada', 'Ben']) {
      const run = await runTask(order, {
        input: { amount: 5_000 },
        handlers: {
          charge_card: ({ getDependencyField }) => ({
            id: getDependencyField<string>('approve', 'by') ?? '',
          }),
        },
        tell: [{ kind: 'answer', step: 'approve', approved: true, result: { by } }],
        env: shared(),
      });
      expect(run.step('charge_card').result).toEqual({ id: by });
    }
  });

  it('does not wait for an answer that nobody gives', async () => {
    const running = runTask(order, {
      input: { amount: 5_000 },
      handlers: { charge: { id: 'c-1' } },
      env: shared(),
    });
    await expect(running).rejects.toMatchObject({
      name: 'TaskWaits',
      steps: [{ step: 'approve', waitsFor: 'an answer' }],
    });
  });

  it('retries and resolves steps as it is told, and does not wait where it is told nothing', async () => {
    const waiting = defineTask({
      name: 'waiting',
      lifecycle: { onError: 'wait' },
      steps: [{ name: 'charge', handler: charge }],
    });
    let tries = 0;
    const handlers = {
      charge: () => {
        tries += 1;
        return error({ message: 'declined', retryable: false });
      },
    };
    const run = await runTask(waiting, {
      input: {},
      handlers,
      tell: [
        { kind: 'retry', step: 'charge' },
        { kind: 'resolve', step: 'charge', result: { id: 'cash' }, reason: 'paid in cash' },
      ],
      env: shared(),
    });
    expect(tries).toBe(2);
    expect(run.step('charge')).toMatchObject({
      status: 'resolved_manually',
      result: { id: 'cash' },
    });
    const alone = runTask(waiting, { input: {}, handlers, env: shared() });
    await expect(alone).rejects.toMatchObject({
      name: 'TaskWaits',
      steps: [{ step: 'charge', waitsFor: 'a retry or a resolution' }],
    });
  });

  it('has a decision decided, and work divided, by stubs', async () => {
    const decided = await runTask(order, {
      input: { amount: 5 },
      handlers: { route_order: branches(['approve']), charge: { id: 'c-1' } },
      tell: [{ kind: 'answer', step: 'approve', approved: false, result: 'too dear' }],
      env: shared(),
    });
    expect(decided).toMatchObject({ status: 'failed', failure: { type: 'ApprovalRejected' } });
    expect(() => decided.result).toThrow('It was rejected');
    const divided = await runTask(load, {
      input: {},
      handlers: {
        count: batches([
          { start: 0, end: 3 },
          { start: 3, end: 5 },
        ]),
      },
      env: shared(),
    });
    const workers = divided.steps.filter(({ step }) => step === 'load_rows');
    expect(workers.map(({ name, result }) => [name, result])).toEqual([
      ['load_rows_001', { rows: 3 }],
      ['load_rows_002', { rows: 2 }],
    ]);
  });

  it('refuses a stub that returns what the step cannot', async () => {
    const wrongSchema = runTask(order, {
      input: { amount: 5 },
      handlers: { charge: { id: 7 } },
      env: shared(),
    });
    await expect(wrongSchema).rejects.toMatchObject({
      name: 'StubRefused',
      place: 'charge_card',
      reason: expect.stringContaining('result_schema'),
    });
    const undecided = runTask(order, {
      input: { amount: 5 },
      handlers: { route: { go: 'on' } },
      env: shared(),
    });
    await expect(undecided).rejects.toMatchObject({ name: 'StubRefused', place: 'route_order' });
  });

  it('names stubs for what the task does not have', async () => {
    const running = runTask(order, {
      input: { amount: 5 },
      handlers: { charge_cart: {}, approve: {} },
      env: shared(),
    });
    await expect(running).rejects.toMatchObject({
      name: 'StubUnknown',
      names: ['charge_cart', 'approve'],
      message: expect.stringContaining('Did you mean "charge_card"?'),
    });
  });
});
