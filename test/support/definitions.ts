import { z } from 'zod';
import { isDefinition } from '../../src/definition/brand.js';
import { defineOperation, type Operation } from '../../src/pipeline/operation.js';
import {
  definePipeline,
  type PipelineDefinition,
  type Stage,
} from '../../src/pipeline/pipeline.js';
import type { ObjectType } from '../../src/pipeline/operation.js';
import type { StackDefinitions } from './stack.js';

/** An operation that sets one property to a value. */
export function setter(
  name: string,
  property: string,
  value: unknown,
  more: { quick?: boolean } = {},
): Operation {
  return defineOperation({
    name,
    sets: z.object({ [property]: z.unknown() }),
    ...more,
    run: () => ({ [property]: value }),
  });
}

/** A pipeline `p` of these stages, with the operations that they use. */
export function pipelineOf(
  stages: readonly Stage[],
  more: Omit<PipelineDefinition<ObjectType, ObjectType>, 'name' | 'stages'> = {},
): StackDefinitions {
  const used = stages.flatMap((stage) => stage.operations.map(operationOf));
  const operations = [...new Set(used.filter((operation) => operation !== undefined))];
  return { operations, pipelines: [definePipeline({ name: 'p', stages, ...more })] };
}

function operationOf(use: Stage['operations'][number]): Operation | undefined {
  if (typeof use === 'string') return undefined;
  // A use names its operation; anything else in a stage is one.
  if (isDefinition(use, 'operation')) return use;
  return 'type' in use && typeof use.type === 'object' ? use.type : undefined;
}
