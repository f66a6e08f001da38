import { describe, expect, it } from '@jest/globals';
import { Context } from '@temporalio/activity';
import pino from 'pino';
import { activityContext } from '../../activities/project/activity-context.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { codeOf, useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { ERRANDS } from './fixtures/errand-definitions.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

describe('an activity of the project', () => {
  it.each(['describe', 'describe locally'])('has the common context: %s', async (errand) => {
    const { engine } = await stack({
      ...ERRANDS,
      services: { db: 'the database' },
      activities: {
        describeRun: async (greeting) => {
          await Promise.resolve();
          const { attempt, heartbeat, run, services, signal } = activityContext();
          heartbeat({ completed: 1 });
          const { activityType } = Context.current().info;
          return { greeting, attempt, run, services, activityType, aborted: signal.aborted };
        },
      },
    });

    const { run, result } = await engine.execute('errands', { errand });

    expect(result).toEqual({
      greeting: 'hello',
      attempt: 1,
      run: { id: run.id, name: 'errands', kind: 'workflow' },
      services: { db: 'the database' },
      activityType: 'describeRun',
      aborted: false,
    });
  });

  it('is not tried again after a permanent error, which is then the failure of the run', async () => {
    let calls = 0;
    const { engine } = await stack({
      ...ERRANDS,
      activities: {
        refuse: () => {
          calls += 1;
          throw permanent('no such customer', { id: 7 }, 'NoCustomer');
        },
      },
    });

    await expect(engine.execute('errands', { errand: 'refuse' })).rejects.toMatchObject({
      status: 'failed',
      failure: { type: 'NoCustomer', message: 'no such customer', details: { id: 7 } },
    });
    expect(calls).toBe(1);
  });

  it('is tried again after any other error, as its retry policy says', async () => {
    const { engine } = await stack({
      ...ERRANDS,
      activities: {
        failOnce: () => {
          const { attempt } = activityContext();
          if (attempt === 1) throw new TypeError('not yet');
          return attempt;
        },
      },
    });

    expect((await engine.execute('errands', { errand: 'fail once' })).result).toBe(2);
  });

  it('gets in its next attempt the checkpoint that it kept', async () => {
    const { engine } = await stack({
      ...ERRANDS,
      activities: {
        checkpointed: () => {
          const { attempt, checkpoint, heartbeat } = activityContext();
          if (attempt > 1) return { attempt, checkpoint };
          heartbeat({ completed: 1 }, { page: 3 });
          throw new Error('lost the connection');
        },
      },
    });

    expect((await engine.execute('errands', { errand: 'checkpoint' })).result).toEqual({
      attempt: 2,
      checkpoint: { page: 3 },
    });
  });

  it('that a worker lacks is asked for until there is one that has it, which its log tells', async () => {
    const lines: unknown[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
    const { engine, code } = await stack({ ...ERRANDS, log });
    const run = await engine.start('errands', { errand: 'nowhere' });
    const handle = temporal.client.workflow.getHandle(run.id);
    const pending = await until(async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.find(({ attempt }) => (attempt ?? 0) > 1);
    });
    expect(pending.lastFailure).toMatchObject({
      message: expect.stringContaining('has no activity "nowhere"'),
      applicationFailureInfo: { type: 'ActivityNotRegistered', nonRetryable: false },
    });
    const warning = {
      run: run.id,
      pipe: 'errands',
      activity: 'nowhere',
      msg: expect.stringContaining('this worker lacks an activity that a run needs'),
    };
    await until(async () => (lines.length >= 2 ? true : undefined));
    expect(lines.slice(0, 2)).toEqual([
      expect.objectContaining({ ...warning, attempt: 1 }),
      expect.objectContaining({ ...warning, attempt: 2 }),
    ]);

    const deployed = codeOf({ ...ERRANDS, activities: { nowhere: () => 'here' } });
    code.replace(deployed.registry, new Map());

    expect(await run.result()).toBe('here');
  });

  it('has no context where none runs', () => {
    expect(() => activityContext()).toThrow('where no activity of the project runs');
  });

  it('that a stopping worker has to leave is tried by another one', async () => {
    const attempts: number[] = [];
    const { engine, startWorker } = await stack({
      ...ERRANDS,
      worker: false,
      activities: {
        failOnce: async () => {
          const { attempt, signal } = activityContext();
          attempts.push(attempt);
          if (attempt > 1) return attempt;
          return new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(signal.reason as Error);
            });
          });
        },
      },
    });
    const leaving = await startWorker();
    const run = await engine.start('errands', { errand: 'fail once' });
    await until(async () => (attempts.length > 0 ? true : undefined));
    await startWorker();
    await leaving.stop();

    expect(await run.result()).toBe(2);
    expect(attempts).toEqual([1, 2]);
  });
});
