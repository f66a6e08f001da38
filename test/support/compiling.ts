import { z } from 'zod';
import { formatProblem } from '../../src/definition/problem.js';
import {
  compilePipeline,
  type Compilation,
  type CompiledPipeline,
} from '../../src/pipeline/compile.js';
import type { CompileEnvironment } from '../../src/pipeline/compile-environment.js';
import { defineOperation, type Operation } from '../../src/pipeline/operation.js';
import {
  definePipeline,
  type OperationUse,
  type Pipeline,
  type PipelineDefinition,
} from '../../src/pipeline/pipeline.js';
import type { ObjectType } from '../../src/pipeline/operation.js';
import type { Path } from '../../src/pipeline/problem-list.js';

const countWords = defineOperation({
  name: 'count-words',
  reads: z.object({ text: z.string() }),
  sets: z.object({ words: z.int() }),
  options: z.strictObject({
    least: z.int().min(1).default(1),
    language: z.enum(['en', 'de']).optional(),
  }),
  quick: true,
  timeout: '1s',
  retry: { maximumAttempts: 5, initialInterval: '2s' },
  run: () => ({ words: 1 }),
});
/** An operation that does nothing. */
export const note = defineOperation({ name: 'note', run: () => ({}) });
const look = defineOperation({ name: 'look', capabilities: ['vision', 'text'], run: () => ({}) });
const prompted = defineOperation({
  name: 'prompted',
  options: z.object({ prompt: z.string() }),
  fileOptions: { prompt_file: 'prompt' },
  run: () => ({}),
});
const labelled = defineOperation({
  name: 'labelled',
  options: z.object({ labels: z.record(z.string(), z.string()) }),
  run: () => ({}),
});
const split = defineOperation({ name: 'split', changesCount: true, runBatch: () => [] });

const OPERATIONS: readonly Operation[] = [
  countWords,
  note,
  look,
  prompted,
  labelled,
  split,
] as readonly Operation[];

/** The operations, models and files that these tests compile against. */
export const ENVIRONMENT: CompileEnvironment = {
  operations: new Map(OPERATIONS.map((operation) => [operation.name, operation])),
  models: new Map([
    ['eyes', { capabilities: ['text', 'vision'] }],
    ['blind', { capabilities: ['text'] }],
  ]),
  readFile: (path) => (path === 'prompts/ask.txt' ? 'Who are you?' : undefined),
};

/** Compiles a pipeline whose places are the paths themselves. */
export function compile(
  definition: Pipeline,
  environment: CompileEnvironment = ENVIRONMENT,
): Compilation {
  return compilePipeline(
    { definition, locate: (path: Path) => ({ file: path.join('.'), line: 1 }) },
    environment,
  );
}

/** Parts of a pipeline; the others are what works. */
export type Written = Partial<PipelineDefinition<ObjectType, ObjectType>>;

/** A pipeline with these parts. */
export function pipeline(written: Written): Pipeline {
  return definePipeline({ name: 'p', stages: [{ name: 'one', operations: ['note'] }], ...written });
}

/** What is wrong with a pipeline with these parts, as a person reads it. */
export function messages(written: object): readonly string[] {
  // What people write in JavaScript and YAML need not be what the types say.
  return compile(pipeline(written as Written)).problems.map(formatProblem);
}

/** The pipeline with these parts, which is expected to be right. */
export function compiled(written: Written): CompiledPipeline {
  const compilation = compile(pipeline(written));
  if (compilation.pipeline === undefined)
    throw new Error(compilation.problems.map(formatProblem).join('\n'));
  return compilation.pipeline;
}

/** A pipeline of one stage with these operations. */
export function using(...operations: (Operation | OperationUse | string)[]): Written {
  return { stages: [{ name: 'one', operations }] };
}
