import { z } from 'zod';
import type { PropertyTypes } from '../src/contract/contract.js';
import { compilePipeline, type Compilation } from '../src/pipeline/compile.js';
import type { ModelReference } from '../src/pipeline/context.js';
import { operationProblems } from '../src/pipeline/operation-check.js';
import type { Operation } from '../src/pipeline/operation.js';
import { definePipeline } from '../src/pipeline/pipeline.js';

/** How an operation is used in a pipeline of one stage. */
export interface SingleUse {
  readonly options?: Readonly<Record<string, unknown>>;
  /** The types of what reaches the operation. Unless given, what it reads. */
  readonly types?: PropertyTypes;
  readonly model?: ModelReference;
  /** Files of the project that options name (`fileOptions`), by their path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The name of the pipeline, and in it of the stage. */
export const SINGLE = { pipeline: 'test', stage: 'only' } as const;

/** Compiles a pipeline whose only stage is this operation. */
export function compileSingle(operation: Operation, use: SingleUse): Compilation {
  const { options = {}, model, types, files } = use;
  const definition = definePipeline({
    name: SINGLE.pipeline,
    result: 'all',
    stages: [
      {
        name: SINGLE.stage,
        operations: [
          { type: operation, options, ...(model !== undefined && { model: model.name }) },
        ],
      },
    ],
    ...(types !== undefined && { input: z.object(types) }),
  });
  const own = operationProblems(operation);
  if (own.some(({ severity }) => severity !== 'warning')) return { problems: own };
  return compilePipeline(
    { definition, locate: () => undefined },
    {
      operations: new Map([[operation.name, operation]]),
      models: new Map(model === undefined ? [] : [[model.name, model]]),
      readFile: (path) => files?.[path],
    },
  );
}
