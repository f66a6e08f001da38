import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineOperation, type Operation } from '../../src/pipeline/operation.js';
import { definePipeline, type Pipeline } from '../../src/pipeline/pipeline.js';
import type { Scenario } from '../cells.js';
import { averageLength, countWords, gradeOf } from '../steps.js';

/** The pipeline of each scenario. */
export const PIPELINE_NAMES: Readonly<Record<Scenario, string>> = {
  a: 'bench-nothing',
  b: 'bench-three-quick',
  c: 'bench-three-durable',
};

/** The pipeline whose events are counted. */
export const EVENTS_PIPELINE = 'bench-events';

/** Long enough that clients come, leave and come back while a run goes on. */
const EVENTS_STEP_MS = 400;

const wait = defineOperation({
  name: 'bench-wait',
  run: async () => {
    await sleep(EVENTS_STEP_MS);
    return {};
  },
});

const quickSteps = steps('quick', true);
const durableSteps = steps('durable', false);

/** Everything that the workers of the benchmark have. */
export const OPERATIONS: readonly Operation[] = [...quickSteps, ...durableSteps, wait];

/** Everything that the benchmark starts. */
export const PIPELINES: readonly Pipeline[] = [
  definePipeline({ name: PIPELINE_NAMES.a, stages: [{ name: 'nothing', operations: [] }] }),
  pipelineOf(PIPELINE_NAMES.b, quickSteps),
  pipelineOf(PIPELINE_NAMES.c, durableSteps),
  definePipeline({
    name: EVENTS_PIPELINE,
    stages: ['one', 'two', 'three'].map((name) => ({
      name,
      operations: [wait, { type: wait, name: 'bench-wait-beside' }],
    })),
  }),
];

function steps(prefix: string, quick: boolean): readonly Operation[] {
  return [
    defineOperation({
      name: `${prefix}-count-words`,
      quick,
      reads: z.object({ text: z.string() }),
      sets: z.object({ words: z.int() }),
      run: ({ input }) => ({ words: countWords(input.text) }),
    }),
    defineOperation({
      name: `${prefix}-average-length`,
      quick,
      reads: z.object({ text: z.string(), words: z.int() }),
      sets: z.object({ average: z.number() }),
      run: ({ input }) => ({ average: averageLength(input.text, input.words) }),
    }),
    defineOperation({
      name: `${prefix}-grade`,
      quick,
      reads: z.object({ words: z.int(), average: z.number() }),
      sets: z.object({ grade: z.string() }),
      run: ({ input }) => ({ grade: gradeOf(input.words, input.average) }),
    }),
  ];
}

function pipelineOf(name: string, operations: readonly Operation[]): Pipeline {
  return definePipeline({
    name,
    stages: operations.map((operation) => ({ name: operation.name, operations: [operation] })),
  });
}
