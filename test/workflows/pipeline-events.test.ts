import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineOperation } from '../../src/pipeline/operation.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { pipelineOf } from '../support/definitions.js';
import { inShort, useHeardStacks } from '../support/heard-events.js';
import { useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const heardStack = useHeardStacks(useStacks(useTemporal()));

describe('the events of a pipeline', () => {
  const flaky = (name: string, quick: boolean) =>
    defineOperation({
      name,
      sets: z.object({ [name]: z.number() }),
      quick,
      retry: { maximumAttempts: 2, initialInterval: 10 },
      run: ({ attempt }) => {
        if (attempt === 1) throw new Error('busy');
        return { [name]: attempt };
      },
    });

  it('tell of each attempt of its operations, also of quick ones', async () => {
    const { engine, heard } = await heardStack(
      pipelineOf([
        { name: 'fast', operations: [flaky('a', true)] },
        { name: 'slow', operations: [flaky('b', false)] },
      ]),
    );
    const { run } = await engine.execute('p', {});
    expect(inShort(heard)).toEqual([
      'pipeline.execution.started',
      'operation.execution.started a 1',
      'operation.execution.failed a 1',
      'operation.execution.started a 2',
      'operation.execution.completed a 2',
      'operation.execution.started b 1',
      'operation.execution.failed b 1',
      'operation.execution.started b 2',
      'operation.execution.completed b 2',
      'pipeline.execution.completed',
    ]);
    expect(heard[2]).toMatchObject({
      step_uuid: `${run.id.split('/')[2] ?? ''}.fast.a`,
      payload: { stage: 'fast', operation: 'a', type: 'a', will_retry: true },
    });
  });

  it('tell of a failure that is ignored, and of one that ends the run', async () => {
    const broken = (name: string, quick: boolean) =>
      defineOperation({
        name,
        quick,
        run: () => {
          throw permanent('broken', undefined, 'Broken');
        },
      });
    const { engine, heard } = await heardStack(
      pipelineOf([
        {
          name: 's',
          operations: [
            { type: broken('a', true), ignoreErrors: true },
            { type: broken('b', false), ignoreErrors: true },
          ],
        },
        { name: 't', operations: [broken('c', false)] },
      ]),
    );
    await expect(engine.execute('p', {})).rejects.toThrow();
    const failed = heard.filter(({ event_type: type }) => type.endsWith('.failed'));
    expect(
      failed.map(({ payload }) => [payload['operation'] ?? 'run', payload['ignored']]),
    ).toEqual(
      expect.arrayContaining([
        ['a', true],
        ['b', true],
        ['c', undefined],
        ['run', undefined],
      ]),
    );
    expect(failed.at(-1)).toMatchObject({
      event_type: 'pipeline.execution.failed',
      payload: { status: 'failed', error: { type: 'Broken', message: 'broken' } },
    });
  });

  it('tell of a run that took longer than its timeout as one that failed', async () => {
    const sleeps = defineOperation({
      name: 'sleeps',
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        return {};
      },
    });
    const { engine, heard } = await heardStack(
      pipelineOf([{ name: 's', operations: [sleeps] }], { timeout: 300 }),
    );
    await expect(engine.execute('p', {})).rejects.toThrow();
    const ended = heard.find(({ event_type: type }) => type === 'pipeline.execution.failed');
    expect(ended?.payload).toMatchObject({ status: 'timed_out' });
  });
});
