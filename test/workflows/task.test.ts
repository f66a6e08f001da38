import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { RunFailed } from '../../engine/errors.js';
import type { RunEvent } from '../../src/progress/run-event.js';
import type { Run } from '../../engine/run.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { defineStepHandler } from '../../src/task/handler.js';
import { branches, error, success } from '../../src/task/step-result.js';
import { defineTask } from '../../src/task/task.js';
import { useStacks } from '../support/stack.js';
import { ENDLESS, statesOf, stepsOfRun, teller } from '../support/tasks.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

const FAST = { maxAttempts: 3, backoffBaseMs: 10 } as const;

async function eventsOf(run: Run): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.events()) events.push(event);
  return events;
}

describe('a task', () => {
  it('runs each step when those are done that it depends on, and gives it their results', async () => {
    const tell = teller('tell');
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'diamond',
          steps: [
            { name: 'last', handler: tell, dependencies: ['left', 'right'] },
            { name: 'left', handler: tell, dependencies: ['first'] },
            { name: 'right', handler: tell, dependsOn: ['first'] },
            { name: 'first', handler: tell },
          ],
        }),
      ],
    });
    const { result, run } = await engine.execute('diamond', {});
    expect(result).toEqual({
      status: 'complete',
      results: { last: { step: 'last', after: ['left', 'right'] } },
    });
    expect(run.id).toMatch(/^task\/diamond\/[0-9A-Z]{26}$/);
    const steps = await stepsOfRun(run);
    expect(steps.map(({ name, result: given }) => [name, given])).toEqual([
      ['first', { step: 'first', after: [] }],
      ['left', { step: 'left', after: ['first'] }],
      ['right', { step: 'right', after: ['first'] }],
      ['last', { step: 'last', after: ['left', 'right'] }],
    ]);
    expect(steps[0]).toMatchObject({ handler: 'tell', handlerVersion: '1.0.0', attempts: 1 });
  });

  it('runs steps in parallel that do not depend on each other', async () => {
    const here = new Set<string>();
    let wake: () => void = () => undefined;
    const bothHere = new Promise<void>((resolve) => (wake = resolve));
    const meet = defineStepHandler({
      name: 'meet',
      run: async ({ step }) => {
        here.add(step.name);
        if (here.size === 2) wake();
        await bothHere;
        return success();
      },
    });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'meeting',
          steps: [
            { name: 'a', handler: meet },
            { name: 'b', handler: meet },
          ],
        }),
      ],
    });
    expect((await engine.execute('meeting', {})).result).toMatchObject({ status: 'complete' });
  });

  it('tells its story as events, the same during the run and after it', async () => {
    const tell = teller('tell');
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'story',
          steps: [
            { name: 'one', handler: tell },
            { name: 'two', handler: tell, dependencies: ['one'] },
          ],
        }),
      ],
    });
    const run = await engine.start('story', { order: 7 });
    const live = await eventsOf(run);
    expect(live.map(({ type, data }) => [type, data['step'] ?? data['task']])).toEqual([
      ['task_started', 'story'],
      ['step_started', 'one'],
      ['step_completed', 'one'],
      ['step_started', 'two'],
      ['step_completed', 'two'],
      ['complete', undefined],
    ]);
    expect(live[2]?.data).toMatchObject({ attempts: 1, handler_version: '1.0.0' });
    expect(await eventsOf(run)).toEqual(live);
  });

  it('gives handlers the input with its defaults, their configuration, and the fields of results', async () => {
    const quote = defineStepHandler({
      name: 'quote',
      version: '2.1.0',
      run: ({ getTaskField, getConfig, getInputOr, isRetry, isLastRetry }) =>
        success({
          price: (getTaskField<number>('amount') ?? 0) * (getConfig<number>('rate') ?? 0),
          currency: getInputOr('currency', 'none'),
          retry: [isRetry(), isLastRetry()],
        }),
      methods: {
        double: ({ getDependencyField }) =>
          success({
            price: 2 * (getDependencyField<number>('quoted', 'price') ?? 0),
          }),
      },
    });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'quotes',
          inputSchema: z.object({ amount: z.number(), currency: z.string().default('EUR') }),
          steps: [
            { name: 'quoted', handler: { callable: quote, initialization: { rate: 3 } } },
            {
              name: 'doubled',
              handler: { callable: 'quote', method: 'double' },
              dependencies: ['quoted'],
            },
          ],
        }),
      ],
    });
    const { result, run } = await engine.execute('quotes', { amount: 5 });
    expect(result).toEqual({ status: 'complete', results: { doubled: { price: 30 } } });
    const [quoted] = await stepsOfRun(run);
    expect(quoted).toMatchObject({
      handlerVersion: '2.1.0',
      result: { price: 15, currency: 'EUR', retry: [false, false] },
    });
    await expect(engine.start('quotes', { amount: 'much' })).rejects.toThrow(
      "Property 'amount' expected number, got string",
    );
  });
});

describe('a step that fails', () => {
  it('is tried again as its template says, and not where its error is permanent', async () => {
    const attempts: Record<string, number[]> = {};
    const note = (name: string, attempt: number): void => {
      (attempts[name] ??= []).push(attempt);
    };
    const shaky = defineStepHandler({
      name: 'shaky',
      run: ({ attempt, step }) => {
        note(step.name, attempt);
        if (attempt < 3) throw new Error('not yet');
        return success({ attempt });
      },
    });
    const refused = defineStepHandler({
      name: 'refused',
      run: ({ attempt, step }) => {
        note(step.name, attempt);
        return error({ type: 'CardDeclined', message: 'no funds', retryable: false, details: 7 });
      },
    });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'payment',
          steps: [
            { name: 'prepare', handler: shaky, retry: FAST },
            { name: 'charge', handler: refused, retry: FAST },
            { name: 'ship', handler: shaky, dependencies: ['prepare', 'charge'] },
            { name: 'thank', handler: teller('tell'), dependencies: ['prepare'] },
          ],
        }),
      ],
    });
    const run = await engine.start('payment', {});
    const failed = await run.result().catch((failure: unknown) => failure);
    expect(failed).toBeInstanceOf(RunFailed);
    expect(failed).toMatchObject({
      status: 'failed',
      failure: {
        type: 'CardDeclined',
        step: 'charge',
        message: 'Step "charge" failed: no funds',
        attempts: 1,
      },
    });
    expect(attempts).toEqual({ prepare: [1, 2, 3], charge: [1] });
    expect(await statesOf(run)).toEqual({
      prepare: 'complete',
      charge: 'error',
      ship: 'blocked',
      thank: 'complete',
    });
  });

  it('tells its last attempt that it is the last', async () => {
    const seen: boolean[][] = [];
    const watch = defineStepHandler({
      name: 'watch',
      run: ({ isRetry, isLastRetry }) => {
        seen.push([isRetry(), isLastRetry()]);
        throw new Error('again');
      },
    });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'watching',
          steps: [{ name: 'watch', handler: watch, retry: { ...FAST, maxAttempts: 2 } }],
        }),
      ],
    });
    await expect(engine.execute('watching', {})).rejects.toThrow('Step "watch" failed: again');
    expect(seen).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  it.each([
    ['a result that is not JSON', () => success(new Date() as never), 'Date'],
    ['a result that its schema refuses', () => success({ total: 'x' }), 'total must be number'],
    ['branches where it decides nothing', () => branches(['ship']), 'Only a decision step'],
  ])('fails for good with %s', async (_what, run, message) => {
    const odd = defineStepHandler({ name: 'odd', run });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'odd-results',
          steps: [
            {
              name: 'odd',
              handler: odd,
              resultSchema: { type: 'object', properties: { total: { type: 'number' } } },
            },
          ],
        }),
      ],
    });
    const failed = await engine.execute('odd-results', {}).catch((failure: unknown) => failure);
    expect(failed).toMatchObject({
      failure: {
        type: 'StepResultInvalid',
        attempts: 1,
        message: expect.stringContaining(message),
      },
    });
  });

  it('ends at its time limit', async () => {
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'too-long',
          steps: [
            {
              name: 'endless',
              handler: ENDLESS,
              timeoutSeconds: 0.2,
              retry: { retryable: false },
            },
          ],
        }),
      ],
    });
    await expect(engine.execute('too-long', {})).rejects.toMatchObject({
      failure: { type: 'timeout', step: 'endless' },
    });
  });
});

describe('a task that ends otherwise', () => {
  it('is cancelled with its steps', async () => {
    let begun: () => void = () => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    const patient = defineStepHandler({
      name: 'patient',
      run: async ({ signal }) => {
        begun();
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        });
      },
    });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'waiting',
          steps: [
            { name: 'patient', handler: patient },
            { name: 'after', handler: patient, dependencies: ['patient'] },
          ],
        }),
      ],
    });
    const run = await engine.start('waiting', {});
    await isBegun;
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
    expect(await statesOf(run)).toEqual({ patient: 'cancelled', after: 'pending' });
  });

  it('ends at its longest duration', async () => {
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'bounded',
          lifecycle: { maxDuration: '400ms' },
          steps: [{ name: 'endless', handler: ENDLESS }],
        }),
      ],
    });
    await expect(engine.execute('bounded', {})).rejects.toMatchObject({
      status: 'timed_out',
      failure: { type: 'timeout' },
    });
  });

  it('fails where what a step throws is permanent', async () => {
    const broken = defineStepHandler({
      name: 'broken',
      run: () => {
        throw permanent('no such order', { id: 7 }, 'OrderUnknown');
      },
    });
    const { engine } = await stack({
      tasks: [defineTask({ name: 'broken-task', steps: [{ name: 'broken', handler: broken }] })],
    });
    await expect(engine.execute('broken-task', {})).rejects.toMatchObject({
      failure: { type: 'OrderUnknown', details: [{ type: 'OrderUnknown', step: 'broken' }] },
    });
  });
});
