import { describe, expect, it } from '@jest/globals';
import { childOf } from '../support/child-run.js';
import { useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { useWebhookReceiver } from '../support/webhook-receiver.js';
import { ERRANDS } from './fixtures/errand-definitions.js';

const temporal = useTemporal();
const stack = useStacks(temporal);
const receiver = useWebhookReceiver();

describe('the timeout of a hand-written workflow', () => {
  it('ends it in time, and has its webhook delivered at once', async () => {
    const { engine } = await stack(ERRANDS);
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
    const { engine } = await stack(ERRANDS);
    expect((await engine.execute('latecomer', { errand: 'hurry' })).result).toBe('in time');
  });

  it('lets it tidy up', async () => {
    const notes: unknown[] = [];
    const { engine } = await stack({
      ...ERRANDS,
      activities: { note: (text) => void notes.push(text) },
    });

    await expect(engine.execute('latecomer', { errand: 'tidy up' })).rejects.toMatchObject({
      status: 'timed_out',
    });
    expect(notes).toEqual(['tidied']);
  });

  it('lets it answer all the same, or end with an error of its own', async () => {
    const { engine } = await stack(ERRANDS);
    expect((await engine.execute('latecomer', { errand: 'answer' })).result).toBe('late, but here');
    await expect(engine.execute('latecomer', { errand: 'break' })).rejects.toMatchObject({
      status: 'failed',
      failure: { type: 'UndoFailed' },
    });
  });

  it('counts from the first run where it continues as new', async () => {
    const { engine } = await stack(ERRANDS);
    const began = Date.now();
    await expect(engine.execute('latecomer', { errand: 'go round' })).rejects.toMatchObject({
      status: 'timed_out',
    });
    expect(Date.now() - began).toBeGreaterThan(1_400);
  });

  it('ends a pipeline that it waits for', async () => {
    const { engine } = await stack(ERRANDS);
    const run = await engine.start('latecomer', {
      errand: 'pipeline',
      pipeline: 'job',
      input: { mode: 'hang' },
    });
    const child = await childOf(temporal, run.id);

    await expect(run.result()).rejects.toMatchObject({ status: 'timed_out' });
    await expect(engine.run('job', child).result()).rejects.toMatchObject({ status: 'cancelled' });
  });

  it('is told from being cancelled', async () => {
    const { engine } = await stack(ERRANDS);
    const run = await engine.start('latecomer', { errand: 'wait' });
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
  });
});
