import { describe, expect, it } from '@jest/globals';
import { defineDecisionHandler } from '../../src/task/handler.js';
import { branches, noBranches } from '../../src/task/step-result.js';
import { defineTask, type TaskStep } from '../../src/task/task.js';
import { useStacks } from '../support/stack.js';
import { statesOf, teller } from '../support/tasks.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

describe('a decision', () => {
  const amounts = defineDecisionHandler({
    name: 'by_amount',
    run: ({ getTaskField }) => {
      const amount = getTaskField<number>('amount') ?? 0;
      if (amount < 0) return branches(['review', 'nowhere']);
      if (amount === 0) return noBranches({ reason: 'nothing to do' });
      return branches(amount >= 1_000 ? ['review', 'call'] : ['review']);
    },
  });
  const tell = teller('tell');
  const steps: readonly TaskStep[] = [
    { name: 'route', type: 'decision', handler: amounts },
    { name: 'review', handler: tell, dependencies: ['route'] },
    { name: 'call', handler: tell, dependencies: ['route'] },
    { name: 'note', handler: tell, dependencies: ['call'] },
    {
      name: 'finish',
      type: 'deferred_convergence',
      handler: tell,
      dependencies: ['review', 'note'],
    },
  ];

  it.each([
    [
      5,
      { finish: { step: 'finish', after: ['review'] } },
      {
        route: 'complete',
        review: 'complete',
        call: 'skipped',
        note: 'skipped',
        finish: 'complete',
      },
    ],
    [
      1_000,
      { finish: { step: 'finish', after: ['review', 'note'] } },
      {
        route: 'complete',
        review: 'complete',
        call: 'complete',
        note: 'complete',
        finish: 'complete',
      },
    ],
    [
      0,
      { route: { reason: 'nothing to do', branches: [] } },
      { route: 'complete', review: 'skipped', call: 'skipped', note: 'skipped', finish: 'skipped' },
    ],
  ])('of %d creates the steps that it chooses, and no others', async (amount, results, states) => {
    const { engine } = await stack({ tasks: [defineTask({ name: 'orders', steps })] });
    const { result, run } = await engine.execute('orders', { amount });
    expect(result).toEqual({ status: 'complete', results });
    expect(await statesOf(run)).toEqual(states);
  });

  it('creates none where one of the names is unknown, and has failed for good', async () => {
    const { engine } = await stack({ tasks: [defineTask({ name: 'orders', steps })] });
    const run = await engine.start('orders', { amount: -1 });
    await expect(run.result()).rejects.toMatchObject({
      failure: {
        type: 'StepResultInvalid',
        attempts: 1,
        message: expect.stringContaining('It chose unknown step "nowhere". Known: call, review.'),
      },
    });
    expect(await statesOf(run)).toMatchObject({ route: 'error', review: 'blocked' });
  });
});
