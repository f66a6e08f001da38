import { describe, expect, it } from '@jest/globals';
import type { StepHandler } from '../../src/task/handler.js';
import { defineStepHandler } from '../../src/task/handler.js';
import { error } from '../../src/task/step-result.js';
import { defineTask } from '../../src/task/task.js';
import type { Run } from '../../engine/run.js';
import { useStacks } from '../support/stack.js';
import { stepsOfRun } from '../support/tasks.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

async function startWith(handler: StepHandler): Promise<Run> {
  const { engine } = await stack({
    tasks: [
      defineTask({
        name: 'failing',
        steps: [{ name: 'fail', handler, retry: { maxAttempts: 2, backoff: 'none' } }],
      }),
    ],
  });
  return engine.start('failing', {});
}

describe('the failure of a step', () => {
  it('is told with the version of the handler that ran', async () => {
    const run = await startWith(
      defineStepHandler({
        name: 'fail',
        version: '2.1.0',
        run: () => error({ type: 'PermanentError', message: 'no' }),
      }),
    );
    await expect(run.result()).rejects.toThrow('Step "fail" failed: no');
    expect(await stepsOfRun(run)).toMatchObject([
      { name: 'fail', status: 'error', handlerVersion: '2.1.0' },
    ]);
    const failed = [];
    for await (const { type, data } of run.events()) if (type === 'step_failed') failed.push(data);
    expect(failed).toMatchObject([{ step: 'fail', handler_version: '2.1.0' }]);
  });

  it.each<[string, () => Error]>([
    ['whose message is larger than Temporal takes', () => new Error('m'.repeat(5_000_000))],
    [
      'whose cause is larger than Temporal takes',
      () => new Error('short', { cause: new Error('m'.repeat(5_000_000)) }),
    ],
  ])('is told of an error %s', async (_what, make) => {
    const run = await startWith(
      defineStepHandler({
        name: 'fail',
        run: () => {
          throw Object.assign(make(), { name: 'Talkative' });
        },
      }),
    );
    const failed: unknown = await run.result().catch((reason: unknown) => reason);
    expect(failed).toMatchObject({ failure: { type: 'Talkative', step: 'fail', attempts: 2 } });
  });
});
