import { describe, expect, it } from '@jest/globals';
import { NoDeadLetter, requeueDeadLetter } from '../../engine/dead-letters.js';
import type { Engine } from '../../engine/engine.js';
import { defineTask, type Lifecycle } from '../../src/task/task.js';
import { useStacks } from '../support/stack.js';
import { teller } from '../support/tasks.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

const TELL = teller('tell');

function task(name: string, lifecycle: Lifecycle) {
  return defineTask({ name, lifecycle, steps: [{ name: 'tell', handler: TELL }] });
}

/** A run that no worker takes, as the engine starts it; Temporal ends it after a second, rather than a minute after its time. */
async function untold(engine: Engine, name: string, taskQueue: string): Promise<string> {
  const { client } = temporal;
  const started = await engine.start(name, { order: 7 });
  const handle = client.workflow.getHandle(started.id);
  const { memo } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const payloads = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  await handle.terminate();
  const executionId = `${started.executionId}-untold`;
  const { id: workflowId } = engine.runWithId({ kind: 'task', name, executionId });
  const late = await client.workflow.start(name, {
    workflowId,
    taskQueue,
    args: payloads.map(({ data }): unknown => JSON.parse(Buffer.from(data ?? []).toString())),
    workflowExecutionTimeout: '1s',
    ...(memo !== undefined && { memo }),
  });
  await expect(late.result()).rejects.toThrow();
  return executionId;
}

describe('a task for which no worker is there until after its time', () => {
  it('is a dead letter where its template says so, and starts again', async () => {
    const { engine, taskQueue } = await stack({
      worker: false,
      tasks: [
        task('set-aside', { maxDuration: '2s', onLimit: 'dead_letter' }),
        task('given-up', { maxDuration: '2s' }),
      ],
    });
    const setAside = await untold(engine, 'set-aside', taskQueue);
    const givenUp = await untold(engine, 'given-up', taskQueue);
    const listed = await until(async () => {
      const { executions } = await engine.list({ kind: 'task', deadLetters: true });
      return executions.some(({ executionId }) => executionId === setAside)
        ? executions
        : undefined;
    }, 20_000);
    expect(listed.find(({ executionId }) => executionId === setAside)).toMatchObject({
      status: 'timed_out',
      deadLetter: 'timeout: No worker was there to end the task after its 2000 ms (max_duration).',
    });
    expect(listed.map(({ executionId }) => executionId)).not.toContain(givenUp);
    await expect(requeueDeadLetter(engine, 'given-up', givenUp)).rejects.toThrow(NoDeadLetter);
    const again = await requeueDeadLetter(engine, 'set-aside', setAside);
    expect(again.executionId).not.toBe(setAside);
    await temporal.client.workflow.getHandle(again.id).terminate();
  });
});
