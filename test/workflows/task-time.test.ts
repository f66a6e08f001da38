import { describe, expect, it } from '@jest/globals';
import type { Run } from '../../engine/run.js';
import { defineStepHandler } from '../../src/task/handler.js';
import { success } from '../../src/task/step-result.js';
import { defineTask } from '../../src/task/task.js';
import { useStacks } from '../support/stack.js';
import { stepsOfRun, teller } from '../support/tasks.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

describe('the time of a task', () => {
  it('costs no timer while steps run, and one while only an answer is waited for', async () => {
    const tell = teller('tell');
    const { engine } = await stack({
      tasks: [
        defineTask({ name: 'plain', steps: [{ name: 'one', handler: tell }] }),
        defineTask({
          name: 'asked',
          lifecycle: { maxDuration: '300ms' },
          steps: [
            { name: 'one', handler: tell },
            { name: 'allow', type: 'approval', dependencies: ['one'] },
          ],
        }),
      ],
    });
    const timersOf = async ({ id }: Run): Promise<number> => {
      const { events } = await temporal.client.workflow.getHandle(id).fetchHistory();
      return (events ?? []).filter((event) => event.timerStartedEventAttributes).length;
    };
    const { run } = await engine.execute('plain', {});
    expect(await timersOf(run)).toBe(0);
    const asked = await engine.start('asked', {});
    await expect(asked.result()).rejects.toThrow(
      'The task took longer than its 300 ms (max_duration).',
    );
    // The other one is that of the approval.
    expect(await timersOf(asked)).toBe(2);
  });

  it('stops the steps that still run when a limit ends the task, and shows them as cancelled', async () => {
    let stopped: () => void = () => undefined;
    const stop = new Promise<void>((resolve) => (stopped = resolve));
    const endless = defineStepHandler({
      name: 'endless',
      run: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            stopped();
            reject(new Error('aborted'));
          });
        }),
    });
    const ship = defineStepHandler({ name: 'ship', run: () => success({}) });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'waits-too-long',
          lifecycle: { maxWaitForDependencies: '300ms' },
          steps: [
            { name: 'endless', handler: endless, timeoutSeconds: 60 },
            { name: 'ship', handler: ship, dependencies: ['endless'] },
          ],
        }),
      ],
    });
    const run = await engine.start('waits-too-long', {});
    await expect(run.result()).rejects.toMatchObject({
      failure: { type: 'DependencyWaitExceeded' },
    });
    expect(await stepsOfRun(run)).toMatchObject([
      { name: 'endless', status: 'cancelled' },
      { name: 'ship', status: 'pending' },
    ]);
    await stop;
  }, 60_000);
});
