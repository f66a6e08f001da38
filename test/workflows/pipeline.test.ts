import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineOperation } from '../../src/pipeline/operation.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import { useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

const text = z.object({ text: z.string() });

const countWords = defineOperation({
  name: 'count-words',
  reads: text,
  sets: z.object({ words: z.number().int() }),
  quick: true,
  run: ({ input }) => ({ words: input.text.split(/\s+/).length }),
});

const shout = defineOperation({
  name: 'shout',
  reads: text,
  sets: z.object({ text: z.string() }),
  run: ({ input }) => ({ text: input.text.toUpperCase() }),
});

describe('a pipeline', () => {
  it('runs quick operations and durable ones and returns what is left', async () => {
    const { engine } = await stack({
      operations: [countWords, shout],
      pipelines: [
        definePipeline({
          name: 'report',
          stages: [
            { name: 'count', operations: [countWords] },
            { name: 'shout', operations: [shout] },
          ],
        }),
      ],
    });

    const { result, run } = await engine.execute('report', { text: 'one two three' });

    expect(result).toEqual({ text: 'ONE TWO THREE', words: 3 });
    expect(run.id).toMatch(/^pipeline\/report\/[0-9A-Z]{26}$/);
    const description = await temporal.client.workflow.getHandle(run.id).describe();
    expect(description.type).toBe('report');
  });

  it('tells its story as events, the same during the run and after it', async () => {
    const { engine } = await stack({
      operations: [countWords, shout],
      pipelines: [
        definePipeline({
          name: 'report',
          stages: [
            { name: 'count', operations: [countWords] },
            { name: 'shout', operations: [shout] },
          ],
        }),
      ],
    });
    const run = await engine.start('report', { text: 'one two three' });

    const live = [];
    for await (const event of run.events()) live.push(event);
    const later = [];
    for await (const event of engine.run('report', run.executionId).events()) later.push(event);

    expect(live.map(({ type }) => type)).toEqual([
      'pipe_started',
      'stage_started',
      'operation_started',
      'operation_completed',
      'stage_completed',
      'stage_started',
      'operation_started',
      'operation_completed',
      'stage_completed',
      'complete',
    ]);
    expect(later).toEqual(live);
    expect(live.at(-1)?.data).toEqual({ result: { text: 'ONE TWO THREE', words: 3 } });
  });

  it('fails for good, with stage, operation and details, when an operation says that it is permanent', async () => {
    const refuse = defineOperation({
      name: 'refuse',
      run: () => {
        throw permanent('no such customer', { id: 7 });
      },
    });
    const { engine } = await stack({
      operations: [refuse],
      pipelines: [
        definePipeline({ name: 'doomed', stages: [{ name: 'only', operations: [refuse] }] }),
      ],
    });

    await expect(engine.execute('doomed', {})).rejects.toMatchObject({
      name: 'RunFailed',
      status: 'failed',
      failure: {
        type: 'PermanentError',
        stage: 'only',
        operation: 'refuse',
        details: { id: 7 },
        attempts: 1,
      },
    });
  });
});
